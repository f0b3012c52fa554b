//go:build contract

package sdk

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// Receiving is what a session is given for what it receives.
type Receiving struct {
	OnGap  func(room string, after, next ledger.Place) // nil: nothing
	Window int                                         // bytes; 0: the default
	Store  *CursorStore                                // nil: none
}

// Options are the session's options.
func (r Receiving) Options() []session.Option {
	var opts []session.Option
	if r.OnGap != nil {
		opts = append(opts, session.WithOnGap(func(_ context.Context, g session.Gap) {
			r.OnGap(g.RoomID, ledger.Place{Epoch: g.Epoch, Seq: g.AfterSeq}, ledger.Place{Epoch: g.NextEpoch, Seq: g.NextSeq})
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

// Outbox bounds what a session has sent without a receipt.
func Outbox(messages, bytes int) []session.Option {
	return []session.Option{session.WithOutbox(messages, bytes)}
}

// ServerOptions give a server its log. With nil it has its own.
func ServerOptions(engine roomlog.Engine) []server.Option {
	if engine == nil {
		return nil
	}
	return []server.Option{server.WithLog(engine)}
}

// Retention is how much a memory engine keeps.
type Retention struct {
	Messages int
	Bytes    int64 // of a room, and of all
}

// MemoryLog makes an engine in memory.
func MemoryLog(r Retention) roomlog.Engine {
	return roomlog.NewMemory(roomlog.Retention{
		Messages: r.Messages, Bytes: r.Bytes, TotalBytes: r.Bytes, Age: 24 * time.Hour,
	})
}

// Forget drops a room's log as if it was lost.
func Forget(engine roomlog.Engine, room string) {
	if memory, ok := engine.(*roomlog.Memory); ok {
		memory.Forget(room)
	}
}

// Drain ends a server as an operator does.
func Drain(ctx context.Context, srv *server.Server, g *grpc.Server) {
	_ = srv.Drain(ctx, g) // what is left over is ended
}

// Pending is a send that goes on by itself.
type Pending interface {
	Wait(ctx context.Context) (*runtime.Receipt, error)
}

// Sender sends one after the other, in the order of Send.
type Sender struct{ session *session.Session }

// NewSender makes a sender on a session. Its methods are for one goroutine.
func NewSender(s *session.Session) *Sender { return &Sender{session: s} }

// Send sends a message; the result comes later.
func (s *Sender) Send(ctx context.Context, out *runtime.Outgoing) Pending { return s.session.SendAsync(ctx, out) }

// Outcome says what a send's error means for its message.
func Outcome(err error) ledger.Kind {
	if errors.Is(err, session.ErrMaybeDelivered) {
		return ledger.Maybe
	}
	return ledger.Never
}
