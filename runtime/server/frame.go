package server

import (
	"fmt"
	"log/slog"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// frame is an envelope on its way out. Many streams send one message: nobody changes it.
type frame struct {
	message *imv1.MessageResponse
	size    int
	place   roomlog.Place // zero: not from a log
	origin  uint64        // who sent it: see originOf
}

func newFrame(message *imv1.MessageResponse) frame {
	return frame{message: message, size: proto.Size(message)}
}

// frameOf is a message as a log has it; see room.frameOf.
func frameOf(record roomlog.Record) (frame, error) {
	message := &imv1.MessageResponse{}
	if err := proto.Unmarshal(record.Payload, message); err != nil {
		return frame{}, err
	}
	if kind := message.GetType(); kind <= 0 || isControl(kind) { // nothing that a server appends
		return frame{}, fmt.Errorf("type %d is not one that a server appends", kind)
	}
	message.Seq, message.PrevSeq, message.Epoch = record.Seq, record.PrevSeq, record.Epoch
	message.Timestamp = timestamppb.New(record.Time)
	f := newFrame(message)
	f.place, f.origin = record.Place, record.Session
	return f, nil
}

// frameOf is what the readers of a record get: the message, or a gap in its place if it does not parse.
func (r *room) frameOf(record roomlog.Record) (frame, error) {
	f, err := frameOf(record)
	if err == nil {
		return f, nil
	}
	r.noteUnreadable(record, err)
	before := roomlog.Cursor{Epoch: record.Epoch, Seq: record.PrevSeq}
	f, err = gapFrame(r.id, before, &roomlog.Gap{Next: roomlog.Cursor{Epoch: record.Epoch, Seq: record.Seq}})
	f.place = record.Place
	return f, err
}

// noteUnreadable logs a message that does not parse, once for all readers.
func (r *room) noteUnreadable(record roomlog.Record, err error) {
	r.mu.Lock()
	known := record.Epoch == r.unreadable.Epoch && record.Seq <= r.unreadable.Seq
	if !known {
		r.unreadable = roomlog.Cursor{Epoch: record.Epoch, Seq: record.Seq}
	}
	r.mu.Unlock()
	if !known {
		r.srv.log.Error("a message of the log does not parse: its readers are told a gap", slog.String("room", r.id),
			slog.Uint64("epoch", record.Epoch), slog.Uint64("seq", record.Seq), slog.Any("error", err))
	}
}

// isGap tells whether a frame tells of what is missing.
func (f frame) isGap() bool { return f.message.GetType() == imv1.MessageType_MESSAGE_TYPE_GAP }

// isNotice tells whether the server itself says that somebody has joined or left.
func (f frame) isNotice() bool {
	kind := f.message.GetType()
	return kind == imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM || kind == imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM
}
