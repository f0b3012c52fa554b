package runtime

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
)

// Envelope is what every received message has, whatever its kind.
type Envelope struct {
	// ID is the message's id; empty on some messages of servers of today.
	ID string
	// RoomID is the message's room.
	RoomID string
	// From is the sender's user id; empty on what the server itself says.
	From string
	// Time is when the server took the message; on the server, when the client sent it. Zero if not told.
	Time time.Time
	// Metadata is what the sender added. It may be nil.
	Metadata map[string]string
	// AckRequired tells that the sender wants to know when the message was handled. The session acknowledges by
	// itself, after the handler returned nil.
	AckRequired bool
	// Seq is the message's place in the log of its room. 0: the server numbers nothing.
	Seq uint64
	// Epoch names that log. 0: the server numbers nothing.
	Epoch uint64
	// Raw is the content as it came. Nobody may change it.
	Raw []byte
}

// Message is what the handler of a kind is given.
type Message[T proto.Message] struct {
	Envelope
	// Content is the decoded content. Never nil.
	Content T
}

// Incoming is a received message of any kind, as interceptors, raw handlers and the handlers of invalid, unknown and
// unhandled messages see it.
type Incoming struct {
	Envelope
	// Type is the kind's number.
	Type int32
	// Kind is what a registered package says of Type. Nil: no package has registered it.
	Kind *Kind
	// Content is the decoded content. Nil if Kind is nil or Err is not.
	Content proto.Message
	// Err says why the content did not parse or validate.
	Err error
}

// Outgoing is a message on its way out, as interceptors see it. They may change everything but Kind and Type.
type Outgoing struct {
	// RoomID is where it goes.
	RoomID string
	// Kind is the kind. Nil: Type and Raw say all.
	Kind *Kind
	// Type is the kind's number.
	Type int32
	// Content is what to send, if Kind is not nil. It must not change until the send has returned; with interceptors, of
	// an asynchronous one, until its result is there.
	Content proto.Message
	// Raw is the encoded content, if Kind is nil.
	Raw []byte
	// ID is the message's id. Empty: the session makes one.
	ID string
	// From is the sender. Only a server's Publish may set it; empty means the server itself, or the session's user.
	From string
	// Metadata is what goes along, at most 64 entries.
	Metadata map[string]string
	// AckRequired asks that each reader acknowledges the message once it has handled it.
	AckRequired bool
}

// Encode checks the content's rules and gives its bytes. Its error is an [*Error].
func (out *Outgoing) Encode() ([]byte, error) {
	if out.Kind == nil {
		return out.Raw, nil
	}
	if err := out.Kind.Check(out.Content); err != nil {
		return nil, err
	}
	return out.Kind.Encode(out.Content)
}

// Receipt tells what became of a send.
type Receipt struct {
	// MessageID is the message's id.
	MessageID string
	// RoomID is the message's room.
	RoomID string
	// Appended tells that the room's log has the message. False: the other side gives no receipts, the message was
	// handed to the stream and no more is known; or the kind is one that the server keeps for itself.
	Appended bool
	// Seq is the message's place in the log. 0 unless Appended.
	Seq uint64
	// Epoch names the log. 0 unless Appended.
	Epoch uint64
	// Time is when the server took it. Zero unless the server told.
	Time time.Time
	// Duplicate tells that an earlier try had been appended; Seq and Time are those of that try.
	Duplicate bool
}

// SendFunc sends a message.
type SendFunc func(ctx context.Context, out *Outgoing) (*Receipt, error)

// SendInterceptor stands between a send and the session. It calls next to go on; what it returns is what the caller
// gets. It runs in the caller's goroutine; of an asynchronous send in one of its own, until the result is there.
type SendInterceptor func(ctx context.Context, out *Outgoing, next SendFunc) (*Receipt, error)

// ReceiveFunc handles a message.
type ReceiveFunc func(ctx context.Context, in *Incoming) error

// ReceiveInterceptor stands between the stream and the handlers. It calls next to go on; what it returns counts as the
// handler's result. It runs in the goroutine of the message's room.
type ReceiveInterceptor func(ctx context.Context, in *Incoming, next ReceiveFunc) error

// ChainSend puts interceptors before next; the first one is the outermost.
func ChainSend(interceptors []SendInterceptor, next SendFunc) SendFunc {
	for _, interceptor := range slices.Backward(interceptors) {
		inner := next
		next = func(ctx context.Context, out *Outgoing) (*Receipt, error) { return interceptor(ctx, out, inner) }
	}
	return next
}

// ChainReceive puts interceptors before next; the first one is the outermost.
func ChainReceive(interceptors []ReceiveInterceptor, next ReceiveFunc) ReceiveFunc {
	for _, interceptor := range slices.Backward(interceptors) {
		inner := next
		next = func(ctx context.Context, in *Incoming) error { return interceptor(ctx, in, inner) }
	}
	return next
}
