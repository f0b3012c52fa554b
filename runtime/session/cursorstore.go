package session

import "context"

// Cursor says up to where the session has handled a room.
type Cursor struct {
	// RoomID is the room.
	RoomID string
	// Epoch names the room's log.
	Epoch uint64
	// Seq is the sequence number of the last message whose handler has returned; before the first one, where the log
	// ended when the session joined the room.
	Seq uint64
}

// CursorStore keeps cursors beyond the life of a process, so that a session of the next one goes on where this one
// stood. One session uses it at a time, and calls it from one goroutine at a time. Each call should end when its context
// does; a panic counts as an error.
type CursorStore interface {
	// Load gives what was saved, one cursor a room. The session calls it in Connect, until it has succeeded once.
	Load(ctx context.Context) ([]Cursor, error)
	// Save keeps cursors that have moved, all or some of them if it fails. It is called often: a few times a second
	// while messages come. What it has not kept yet when the process dies comes again after a restart.
	Save(ctx context.Context, changed []Cursor) error
	// Delete forgets a room that the user has left.
	Delete(ctx context.Context, roomID string) error
}
