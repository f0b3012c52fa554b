package runtime

import (
	"context"
	"maps"

	"google.golang.org/protobuf/proto"
)

// Session is what a generated client needs of a session. *session.Session is one.
type Session interface {
	// Register tells the session what a generated package has. It fails after Connect, and when a kind's number is
	// taken by another package.
	Register(registration Registration) error
	// Send sends a message and waits for its receipt.
	Send(ctx context.Context, out *Outgoing) (*Receipt, error)
	// SendAsync sends a message and does not wait for its receipt, which the result has; it is never nil. Those of one
	// goroutine are sent in the order of the calls. ctx bounds the send, beyond the return.
	SendAsync(ctx context.Context, out *Outgoing) *Pending
}

// Server is what generated hooks and publishers need of a server. *server.Server is one.
type Server interface {
	// Register tells the server what a generated package has. It fails once the server serves, and when a kind's
	// number is taken by another package.
	Register(registration Registration) error
	// Publish appends a message to a room and hands it to everybody in it.
	Publish(ctx context.Context, out *Outgoing) (*Receipt, error)
}

// PublishOption changes one publish.
type PublishOption interface{ applyPublish(out *Outgoing) }

// SendOption changes one send, or one publish.
type SendOption interface {
	PublishOption
	applySend(out *Outgoing)
}

type sendOption func(out *Outgoing)

func (o sendOption) applySend(out *Outgoing)    { o(out) }
func (o sendOption) applyPublish(out *Outgoing) { o(out) }

type publishOption func(out *Outgoing)

func (o publishOption) applyPublish(out *Outgoing) { o(out) }

// WithMetadata adds entries to the message's metadata. The map is copied. Default: none.
func WithMetadata(metadata map[string]string) SendOption {
	return sendOption(func(out *Outgoing) {
		if out.Metadata == nil {
			out.Metadata = make(map[string]string, len(metadata))
		}
		maps.Copy(out.Metadata, metadata)
	})
}

// WithMessageID gives the message an id of your own, 1 to 128 bytes, unique for the user and the room: the server takes
// a second message with the same id for a repeat. Default: the session makes one.
func WithMessageID(id string) SendOption {
	return sendOption(func(out *Outgoing) { out.ID = id })
}

// WithAckRequired asks that each reader acknowledges the message once it has handled it. Default: no.
func WithAckRequired() SendOption {
	return sendOption(func(out *Outgoing) { out.AckRequired = true })
}

// WithFrom publishes in the name of a user. Default: the server itself, an empty sender.
func WithFrom(userID string) PublishOption {
	return publishOption(func(out *Outgoing) { out.From = userID })
}

// With applies options to a message that is put together by hand, and gives it back.
func (out *Outgoing) With(opts ...SendOption) *Outgoing {
	for _, opt := range opts {
		opt.applySend(out)
	}
	return out
}

// Send is what a generated SendX calls.
func Send[T proto.Message](
	ctx context.Context, session Session, kind *TypedKind[T], roomID string, content T, opts []SendOption,
) (*Receipt, error) {
	out := &Outgoing{RoomID: roomID, Kind: &kind.Kind, Type: kind.Number, Content: content}
	return session.Send(ctx, out.With(opts...))
}

// SendAsync is what a generated SendXAsync calls.
func SendAsync[T proto.Message](
	ctx context.Context, session Session, kind *TypedKind[T], roomID string, content T, opts []SendOption,
) *Pending {
	out := &Outgoing{RoomID: roomID, Kind: &kind.Kind, Type: kind.Number, Content: content}
	return session.SendAsync(ctx, out.With(opts...))
}

// Publish is what a generated PublishX calls.
func Publish[T proto.Message](
	ctx context.Context, server Server, kind *TypedKind[T], roomID string, content T, opts []PublishOption,
) (*Receipt, error) {
	out := &Outgoing{RoomID: roomID, Kind: &kind.Kind, Type: kind.Number, Content: content}
	for _, opt := range opts {
		opt.applyPublish(out)
	}
	return server.Publish(ctx, out)
}
