package session

import (
	"errors"
	"fmt"
)

const (
	defaultWindow = 256 << 10
	minWindow     = 1 << 10
)

// WithWindow bounds what may be on its way to the handlers of one room, in bytes of encoded messages, at least 1,024: sent by the
// server, and not handled yet. The rest waits in the room's log, and nobody else waits for it. A server may allow less; one
// message is always on its way, however large it is. It counts where [Capabilities] has FlowControl. Default: 256 KiB.
func WithWindow(bytes int) Option {
	return option(func(c *config) error {
		if bytes < minWindow {
			return fmt.Errorf("WithWindow: %d bytes are too few: give at least %d", bytes, minWindow)
		}
		c.receiving.window = bytes
		return nil
	})
}

// WithOnGap is told what the session will not get, in the goroutine of the room, in its place between the messages. Default: it is
// logged, and OnError is told with the code DataLoss.
func WithOnGap(f GapFunc) Option {
	return option(func(c *config) error { c.handlers.onGap = f; return nil })
}

// WithCursorStore keeps the session's cursors beyond its process: a session of the next one that joins the same rooms goes on
// where this one stood. They are saved at the latest 200 ms after a handler has returned, and when the session closes; a
// message whose handler returned later than that comes again after a crash. [OpenCursorFile] is one store. Default: a
// new session starts at the end of its rooms' logs.
func WithCursorStore(store CursorStore) Option {
	return option(func(c *config) error {
		if store == nil {
			return errors.New("WithCursorStore: the store is nil")
		}
		c.receiving.store = store
		return nil
	})
}
