package session

import (
	"errors"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc/codes"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// newAckKind describes ACK's content. It is no kind to anybody else.
func newAckKind() *runtime.TypedKind[*imv1.AckContent] {
	return runtime.NewKind(runtime.KindSpec[*imv1.AckContent]{
		Number:   int32(imv1.MessageType_MESSAGE_TYPE_ACK),
		Name:     "Ack",
		Encoding: runtime.EncodingJSON,
		New:      func() *imv1.AckContent { return new(imv1.AckContent) },
	})
}

// acknowledge sends an ACK as soon as there is a stream; it never blocks the handler's goroutine.
func (s *Session) acknowledge(messageID, room string) {
	content, err := s.ackKind.Encode(&imv1.AckContent{OriginalMessageId: messageID, Success: true})
	if err == nil && !s.acks.put(&imv1.MessageRequest{
		MessageId: s.nextID(),
		UserId:    s.config.user,
		RoomId:    room,
		Type:      imv1.MessageType_MESSAGE_TYPE_ACK,
		Content:   content,
	}) {
		err = errors.New("too many wait already: the server does not read")
	}
	if err != nil {
		s.reportError(&runtime.Error{
			Op: "acknowledge", Code: codes.ResourceExhausted, RoomID: room, MessageID: messageID, Err: err,
		})
	}
}

// handleAck hands an ACK to the application, in the goroutine of its room.
func (s *Session) handleAck(message *imv1.MessageResponse) {
	onAck := s.config.handlers.onAck
	if onAck == nil {
		return
	}
	content, err := s.ackKind.Decode(message.GetContent())
	acknowledged, ok := content.(*imv1.AckContent)
	if err != nil || !ok {
		s.reportError(withOp("receive", message.GetRoomId(), err))
		return
	}
	defer func() {
		if reason := recover(); reason != nil {
			s.config.log.Error("the ACK handler panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			s.reportError(&runtime.Error{
				Op: "handle ACK", Code: codes.Internal, RoomID: message.GetRoomId(),
				Message: fmt.Sprintf("the handler panicked: %v", reason),
			})
		}
	}()
	onAck(s.ctx, Ack{From: message.GetFromUserId(), RoomID: message.GetRoomId(), Content: acknowledged})
}
