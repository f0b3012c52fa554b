package sdk

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// Receiving is what a session is given for what it receives.
type Receiving struct {
	OnGap  func(room string, told ledger.Event) // without the reader and the room; nil: nothing
	Window int                                  // bytes; 0: the default
	Store  *CursorStore                         // nil: none
}

// Options are the session's options.
func (r Receiving) Options() []session.Option {
	var opts []session.Option
	if r.OnGap != nil {
		opts = append(opts, session.WithOnGap(func(_ context.Context, g session.Gap) {
			r.OnGap(g.RoomID, ledger.Event{
				Kind:  ledger.Told,
				Place: ledger.Place{Epoch: g.Epoch, Seq: g.AfterSeq}, Next: ledger.Place{Epoch: g.NextEpoch, Seq: g.NextSeq},
				Text: g.Reason.String(), Unsaid: g.Reason == session.GapReasonChainBroken,
			})
		}))
	}
	if r.Window > 0 {
		opts = append(opts, session.WithWindow(r.Window))
	}
	if r.Store != nil {
		opts = append(opts, session.WithCursorStore(r.Store))
	}
	return opts
}

// CursorStore keeps cursors in memory, over the lives of several sessions.
type CursorStore struct {
	mu      sync.Mutex
	cursors map[string]session.Cursor
}

// NewCursorStore makes an empty one.
func NewCursorStore() *CursorStore { return &CursorStore{cursors: make(map[string]session.Cursor)} }

// Load gives all cursors.
func (c *CursorStore) Load(context.Context) ([]session.Cursor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.cursors)), nil
}

// Save keeps what has changed.
func (c *CursorStore) Save(_ context.Context, changed []session.Cursor) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cursor := range changed {
		c.cursors[cursor.RoomID] = cursor
	}
	return nil
}

// Delete forgets a room.
func (c *CursorStore) Delete(_ context.Context, roomID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.cursors, roomID)
	return nil
}

// At is what is kept for a room, if anything is.
func (c *CursorStore) At(room string) (at ledger.Place, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cursor, known := c.cursors[room]
	return ledger.Place{Epoch: cursor.Epoch, Seq: cursor.Seq}, known
}
