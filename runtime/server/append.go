package server

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// logTimeout is how long a log may take to append a message, to find one, to open a room or to read a page of it, and a join to
// have its notice said.
const logTimeout = 5 * time.Second

// beyond gives a context that goes on when the stream has ended or another one has taken over: what the server has begun to
// decide it decides.
func beyond(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
}

// appendTo puts what readers get, without its place, into a room's log. The engine hands it to whoever reads the room.
func (s *Server) appendTo(
	ctx context.Context, roomID string, m roomlog.Message, content *imv1.MessageResponse,
) (roomlog.Place, error) {
	payload, err := proto.Marshal(content)
	if err != nil {
		return roomlog.Place{}, refuse(codes.Internal, "the message cannot be encoded: %v", err)
	}
	m.Payload = payload
	place, err := s.config.engine.Append(ctx, roomID, m)
	switch {
	case err != nil:
		return roomlog.Place{}, err
	case !place.Duplicate:
		s.counts.appended.Add(1)
	}
	return place, nil
}

// logError is what an engine's refusal is to a sender. Nil: it is no refusal, the engine does not know itself.
func logError(err error, roomID, messageID string) error {
	switch {
	case errors.Is(err, roomlog.ErrOtherLog):
		return otherLog(roomID)
	case errors.Is(err, roomlog.ErrOtherPayload):
		return refuse(codes.AlreadyExists,
			"message id %q was used before for another message: give each message an id of its own", messageID)
	case errors.Is(err, roomlog.ErrTooLate):
		return refuse(codes.Aborted, "message %q came too late: a later one of this session is in the log already", messageID)
	case errors.Is(err, roomlog.ErrFull):
		return refuse(codes.ResourceExhausted, "room %q takes no more messages for now: send less", roomID)
	default:
		return nil
	}
}

func otherLog(roomID string) error {
	return refuse(codes.DataLoss,
		"the log of room %q is not the one that this message was first sent to: it may have been delivered there", roomID)
}

// sendKey is what makes a send the same send: user and message id. The length keeps two users' ids apart.
func sendKey(user, messageID string) string { return strconv.Itoa(len(user)) + ":" + user + messageID }

// hashOf covers what a sender says: type, content, metadata and whether ACKs are wanted. The sender's clock is not
// part of it.
func hashOf(kind imv1.MessageType, content []byte, metadata map[string]string, ackRequired bool) roomlog.Hash {
	sum := sha256.New()
	write := func(b []byte) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		sum.Write(size[:])
		sum.Write(b)
	}
	write(binary.BigEndian.AppendUint32(nil, uint32(kind)))
	write(strconv.AppendBool(nil, ackRequired))
	write(content)
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		write([]byte(key))
		write([]byte(metadata[key]))
	}
	return roomlog.Hash(sum.Sum(nil)[:16])
}
