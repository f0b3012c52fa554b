package server

import (
	"crypto/rand"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
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

// noticeJoin tells the others that a user's first session has joined. The room's lock is held.
func (r *room) noticeJoin(st *stream, m *member) {
	content, err := r.srv.contents.join.Encode(&imv1.JoinContent{UserCount: int32(len(r.members))})
	m.announced = r.notice(st, m, imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM, content, err)
}

// noticeLeave tells the others that a user's last session has left. The room's lock is held.
func (r *room) noticeLeave(st *stream, m *member, reason string) {
	content, err := r.srv.contents.leave.Encode(&imv1.LeaveContent{UserCount: int32(len(r.members)), Reason: reason})
	r.notice(st, m, imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM, content, err)
}

// notice has a notice said. What it gives is closed as soon as the log has it, or will not have it.
func (r *room) notice(st *stream, m *member, kind imv1.MessageType, content []byte, err error) <-chan struct{} {
	n := notice{origin: st.origin, done: make(chan struct{}), message: &imv1.MessageResponse{
		MessageId: newMessageID(), FromUserId: st.key.user, RoomId: r.id, Type: kind, Content: content,
		Metadata: m.join.Metadata, SessionId: st.wireSession,
	}}
	if err != nil { // an int32 and a constant always encode
		r.srv.log.Error("a notice cannot be encoded", "kind", kind, "error", err)
		close(n.done)
		return n.done
	}
	r.srv.say(n)
	return n.done
}

// newMessageID is for messages that came without an id, and for the server's own.
func newMessageID() string { return rand.Text() }
