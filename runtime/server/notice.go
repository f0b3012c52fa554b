package server

import (
	"context"
	"crypto/rand"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// Why a user left, in LeaveContent.
const (
	reasonLeft         = "left"         // it said so, or closed its side of the stream
	reasonDisconnected = "disconnected" // the stream broke, or the server ended it
)

// contents has the kinds that the server itself writes and reads, whether or not their package is registered.
type contents struct {
	join  *runtime.TypedKind[*imv1.JoinContent]
	leave *runtime.TypedKind[*imv1.LeaveContent]
	ack   *runtime.TypedKind[*imv1.AckContent]
}

func newContents() contents {
	return contents{
		join: runtime.NewKind(runtime.KindSpec[*imv1.JoinContent]{
			Number: int32(imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM), Name: "Join", Encoding: runtime.EncodingJSON,
			New: func() *imv1.JoinContent { return &imv1.JoinContent{} },
		}),
		leave: runtime.NewKind(runtime.KindSpec[*imv1.LeaveContent]{
			Number: int32(imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM), Name: "Leave", Encoding: runtime.EncodingJSON,
			New: func() *imv1.LeaveContent { return &imv1.LeaveContent{} },
		}),
		ack: runtime.NewKind(runtime.KindSpec[*imv1.AckContent]{
			Number: int32(imv1.MessageType_MESSAGE_TYPE_ACK), Name: "Ack", Encoding: runtime.EncodingJSON,
			New: func() *imv1.AckContent { return &imv1.AckContent{} },
		}),
	}
}

// noticeJoin tells the others that a user's first session has joined. The room's lock is held; sayNotices says
// it once that is free.
func (r *room) noticeJoin(st *stream, m *member) {
	content, err := r.srv.contents.join.Encode(&imv1.JoinContent{UserCount: int32(len(r.members))})
	r.notice(st, m, imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM, content, err)
}

// noticeLeave tells the others that a user's last session has left. The room's lock is held; sayNotices
// says it once that is free.
func (r *room) noticeLeave(st *stream, m *member, reason string) {
	content, err := r.srv.contents.leave.Encode(&imv1.LeaveContent{UserCount: int32(len(r.members)), Reason: reason})
	r.notice(st, m, imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM, content, err)
}

// notice is what the server itself has to say in a room.
type notice struct {
	message *imv1.MessageResponse
	origin  uint64 // of the stream that it is about
}

func (r *room) notice(st *stream, m *member, kind imv1.MessageType, content []byte, err error) {
	if err != nil { // an int32 and a constant always encode
		r.srv.log.Error("a notice cannot be encoded", "kind", kind, "error", err)
		return
	}
	r.notices = append(r.notices, notice{origin: st.origin, message: &imv1.MessageResponse{
		MessageId: newMessageID(), FromUserId: st.key.user, RoomId: r.id, Type: kind, Content: content,
		Metadata: m.join.Metadata, SessionId: st.wireSession,
	}})
}

// sayNotices gives a room's notices their time.
func (s *Server) sayNotices(ctx context.Context, r *room) {
	ctx, cancel := beyond(ctx)
	defer cancel()
	r.sayNotices(ctx)
}

// sayNotices appends the notices that wait, in the order in which they came about. If somebody does that already, that one
// takes them too. No lock is held.
func (r *room) sayNotices(ctx context.Context) {
	for {
		r.mu.Lock()
		waiting := r.notices
		if r.noticing || len(waiting) == 0 {
			r.mu.Unlock()
			return
		}
		r.notices, r.noticing = nil, true
		r.mu.Unlock()
		for _, n := range waiting {
			r.sayNotice(ctx, n)
		}
		r.mu.Lock()
		r.noticing = false
		r.mu.Unlock()
	}
}

// sayNotice appends a notice. A log that does not take it leaves the others in the room without it.
func (r *room) sayNotice(ctx context.Context, n notice) {
	message := roomlog.Message{
		Key: sendKey(n.message.GetFromUserId(), n.message.GetMessageId()), Session: n.origin,
	}
	if _, err := r.srv.appendTo(ctx, r.id, message, n.message); err != nil {
		r.srv.log.Error("a notice could not be appended", "room", r.id, "type", n.message.GetType(), "error", err)
	}
}

// newMessageID is for messages that came without an id, and for the server's own.
func newMessageID() string { return rand.Text() }
