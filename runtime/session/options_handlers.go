package session

import (
	"context"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// MessageFunc sees a message. It must not change it.
type MessageFunc func(ctx context.Context, in *runtime.Incoming)

// Ack is an acknowledgement of a message that asked for one.
type Ack struct {
	// From is the user who acknowledges.
	From string
	// RoomID is the message's room; empty if the server does not say.
	RoomID string
	// Content says which message, and whether it was handled.
	Content *imv1.AckContent
}

// AckFunc is told of an acknowledgement.
type AckFunc func(ctx context.Context, ack Ack)

// The functions of WithOnConnect, WithOnDisconnect, WithOnError and WithOnState run one after the other, in the order
// of what they tell, in a goroutine of their own; no lock is held. They may call anything on the session. While one
// blocks, the others wait, and the session goes on.

// WithOnConnect is called each time the session has become connected; the first time perhaps only after Connect has
// returned. Default: nothing.
func WithOnConnect(f func()) Option {
	return option(func(c *config) error { c.handlers.onConnect = f; return nil })
}

// WithOnDisconnect is called each time a connected session lost its stream, with the reason; ErrClosed after Close.
// Default: nothing.
func WithOnDisconnect(f func(err error)) Option {
	return option(func(c *config) error { c.handlers.onDisconnect = f; return nil })
}

// WithOnError is told what no caller is there to hear of: a handler's error or panic, content that did not parse and
// that no OnInvalid took, a failed try to reconnect, a room that could not be joined again. At most 1,024 wait; what
// comes beyond is only logged. Default: nothing.
func WithOnError(f func(err error)) Option {
	return option(func(c *config) error { c.handlers.onError = f; return nil })
}

// WithOnState is called for each state that the session enters. Default: nothing.
func WithOnState(f func(state State)) Option {
	return option(func(c *config) error { c.handlers.onState = f; return nil })
}

// WithOnMessage is called for every message before its handler, in the goroutine of its room: text, audio, unknown
// kinds, all but control frames. It does not count as a handler: no ACK follows from it. Default: nothing.
func WithOnMessage(f MessageFunc) Option {
	return option(func(c *config) error { c.handlers.onMessage = f; return nil })
}

// WithOnAck is called for every ACK that the session receives, in the goroutine of its room. Default: nothing.
func WithOnAck(f AckFunc) Option {
	return option(func(c *config) error { c.handlers.onAck = f; return nil })
}

// WithUnknown handles messages whose kind no registered package has: Type and Raw say all. Default: they are counted.
func WithUnknown(f runtime.ReceiveFunc) Option {
	return option(func(c *config) error { c.handlers.unknown = f; return nil })
}

// WithUnhandled handles messages whose kind is known and has no handler. Default: they are counted.
func WithUnhandled(f runtime.ReceiveFunc) Option {
	return option(func(c *config) error { c.handlers.unhandled = f; return nil })
}
