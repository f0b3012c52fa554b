package session

import "errors"

// WithOutbox bounds the sends that have no receipt yet, all rooms together, whether they wait for a stream or for their
// receipt: their number, and their bytes as protobuf encodes them. A send that finds it full waits until its context is
// done; one that is larger than the whole outbox has it for itself. Default: 4,096 messages, 8 MiB.
func WithOutbox(messages, bytes int) Option {
	return option(func(c *config) error {
		if messages < 1 || bytes < 1 {
			return errors.New("WithOutbox: both numbers must be at least 1")
		}
		c.sending.outboxMessages, c.sending.outboxBytes = messages, bytes
		return nil
	})
}

// WithOutboxNoWait lets a send that finds the outbox full fail at once, with ErrOutboxFull. Default: it waits.
func WithOutboxNoWait() Option {
	return option(func(c *config) error { c.sending.outboxNoWait = true; return nil })
}

// WithResendToNewLog sends a message again whose first try went to a room's log that the server has lost since, without
// its receipt. Readers may then get it twice: the log that is gone may have had it, and told them. It also comes behind
// those of the room that the stream had by then, if the server finds only then that the log is another one. Default: such a
// send fails with ErrMaybeDelivered.
func WithResendToNewLog() Option {
	return option(func(c *config) error { c.sending.toNewLog = true; return nil })
}
