package server

import (
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

// frameOf is a message as a log has it.
func frameOf(record roomlog.Record) (frame, error) {
	message := &imv1.MessageResponse{}
	if err := proto.Unmarshal(record.Payload, message); err != nil {
		return frame{}, err
	}
	message.Seq, message.PrevSeq, message.Epoch = record.Seq, record.PrevSeq, record.Epoch
	message.Timestamp = timestamppb.New(record.Time)
	f := newFrame(message)
	f.place, f.origin = record.Place, record.Session
	return f, nil
}

// isNotice tells whether the server itself says that somebody has joined or left.
func (f frame) isNotice() bool {
	kind := f.message.GetType()
	return kind == imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM || kind == imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM
}
