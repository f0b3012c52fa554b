package session

import (
	"errors"

	"golang.org/x/time/rate"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// WithSendInterceptors adds interceptors for outgoing messages; the first one is the outermost. They run in the
// caller's goroutine, before validation. May be given several times. Default: none.
func WithSendInterceptors(interceptors ...runtime.SendInterceptor) Option {
	return option(func(c *config) error {
		for _, interceptor := range interceptors {
			if interceptor == nil {
				return errors.New("WithSendInterceptors: an interceptor is nil")
			}
		}
		c.sending.interceptors = append(c.sending.interceptors, interceptors...)
		return nil
	})
}

// WithReceiveInterceptors adds interceptors for incoming messages; the first one is the outermost. They run in the
// goroutine of the message's room, around WithOnMessage and the handler. May be given several times. Default: none.
func WithReceiveInterceptors(interceptors ...runtime.ReceiveInterceptor) Option {
	return option(func(c *config) error {
		for _, interceptor := range interceptors {
			if interceptor == nil {
				return errors.New("WithReceiveInterceptors: an interceptor is nil")
			}
		}
		c.receiving.interceptors = append(c.receiving.interceptors, interceptors...)
		return nil
	})
}

// WithSendLimit bounds the sends per second, all rooms together, with bursts of up to burst messages; a send beyond it
// waits until its context is done. Default: no limit.
func WithSendLimit(limit rate.Limit, burst int) Option {
	return option(func(c *config) error {
		if limit <= 0 || burst < 1 {
			return errors.New("WithSendLimit: the limit must be more than 0, the burst at least 1")
		}
		c.sending.limiter = rate.NewLimiter(limit, burst)
		return nil
	})
}

// WithEcho hands the session its own messages too, where the server sends them back. Default: they are dropped.
func WithEcho() Option {
	return option(func(c *config) error { c.receiving.echo = true; return nil })
}

// WithLanes bounds what waits for handlers: messages per room, beyond which the session reads no further, and
// handlers that run at the same time, each for another room. While a send or a join waits for the server, whose answer
// could only come behind the messages, the session reads on, up to 16 times as many; beyond that it ends the stream with
// ResourceExhausted and connects again. On a stream with flow control the session always reads on: there WithWindow
// bounds what waits. Default: 256 messages, 64 handlers.
func WithLanes(messages, handlers int) Option {
	return option(func(c *config) error {
		if messages < 1 || handlers < 1 {
			return errors.New("WithLanes: both numbers must be at least 1")
		}
		c.receiving.laneMessages, c.receiving.laneWorkers = messages, handlers
		return nil
	})
}
