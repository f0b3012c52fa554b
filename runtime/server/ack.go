package server

import (
	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Ack tells that a reader has handled a message that asked for it.
type Ack struct {
	// RoomID and MessageID name the message.
	RoomID, MessageID string
	// From is the reader.
	From string
	// To is the message's sender; empty: the backend.
	To string
	// Success tells whether the reader's handler returned without an error; Text is the error if not.
	Success bool
	Text    string
}

// acknowledge hands a reader's ACK to the session that sent the message, if that is connected here, and tells the
// operator.
func (s *Server) acknowledge(st *stream, request *imv1.MessageRequest) error {
	if err := st.checkEnvelope(request); err != nil {
		return err
	}
	if size := proto.Size(request) + placeBytes; size > s.config.maxMessage { // it travels on to the message's sender
		return tooLarge(size, s.config.maxMessage)
	}
	decoded, err := s.contents.ack.Decode(request.GetContent())
	if err != nil {
		return err
	}
	content := decoded.(*imv1.AckContent) //nolint:forcetypeassert // ackKind's contents are
	asked := st.asked(request.GetRoomId(), content.GetOriginalMessageId())
	if len(asked) == 0 {
		return refuse(codes.NotFound, "no message %q that asked for an ACK is in the log of room %q",
			content.GetOriginalMessageId(), request.GetRoomId())
	}
	for _, e := range asked {
		s.forwardAck(st, request, content, e)
	}
	return nil
}

type askedIn struct {
	askedMessage

	roomID string
}

// asked finds the messages with that id that want ACKs, in a room that the stream is in; in all of them if none is named.
func (st *stream) asked(roomID, messageID string) []askedIn {
	var found []askedIn
	for _, r := range st.joined() {
		if roomID != "" && r.id != roomID {
			continue
		}
		for _, message := range st.srv.asked.find(r.id, messageID) {
			found = append(found, askedIn{message, r.id})
		}
	}
	return found
}

func (s *Server) forwardAck(st *stream, request *imv1.MessageRequest, content *imv1.AckContent, e askedIn) {
	if sender := s.sessions.find(e.sender); sender != nil && sender != st {
		_ = sender.out.put(newFrame(&imv1.MessageResponse{ // where there is no room for it, others' ACKs end no stream
			MessageId: request.GetMessageId(), FromUserId: st.key.user, RoomId: e.roomID,
			Type: imv1.MessageType_MESSAGE_TYPE_ACK, Content: request.GetContent(), Metadata: request.GetMetadata(),
			Timestamp: timestamppb.Now(), SessionId: st.wireSession,
		}))
	}
	if s.config.onAck == nil {
		return
	}
	ack := Ack{
		RoomID: e.roomID, MessageID: content.GetOriginalMessageId(), From: st.key.user, To: e.sender.user,
		Success: content.GetSuccess(), Text: content.GetErrorMessage(),
	}
	_ = s.guard("ACK hook", func() { s.config.onAck(st.ctx, ack) })
}
