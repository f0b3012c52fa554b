package session

import (
	"errors"
	"fmt"
)

// minWindow is the smallest window.
const minWindow = 1 << 10

// WithWindow bounds what a server with flow control sends ahead: the bytes of the messages of one room whose handlers have
// not returned. A server may allow less; a single message may always be larger. It bounds what the session's memory holds of
// each room, and how much comes again after a reconnect; a small one makes the server wait for the session more often. At
// least 1,024. Default: 262,144 (256 KiB).
func WithWindow(bytes int) Option {
	return option(func(c *config) error {
		if bytes < minWindow {
			return fmt.Errorf("WithWindow: the window is %d bytes: at least %d", bytes, minWindow)
		}
		c.receiving.window = bytes
		return nil
	})
}

// WithOnGap is called where messages of a room are missing that the server will not send: its log has lost them. It
// runs in the goroutine of the room, in order with the messages, between the last one before the gap and the first one
// after it. Default: WithOnError is told, with code DataLoss.
func WithOnGap(f GapFunc) Option {
	return option(func(c *config) error { c.receiving.onGap = f; return nil })
}

// WithCursorStore keeps the session's cursors, so that the next process goes on where this one stood: a room that it joins
// is read from its cursor on, once. Connect loads them and fails if that fails. They are saved at most 200 ms after a
// handler has returned, a last time in Close, and what a handler does that Close finds running, before Done: its message
// counts as handled if it returns nil, and comes again after a restart if it returns an error. What could not be saved is
// told to WithOnError and saved with the next cursor that moves. Default: none; a session starts at the end of each room.
func WithCursorStore(store CursorStore) Option {
	return option(func(c *config) error {
		if store == nil {
			return errors.New("WithCursorStore: the store is nil")
		}
		c.receiving.store = store
		return nil
	})
}
