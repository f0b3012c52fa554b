package chaos_test

import (
	"context"
	"sync"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// announced tells the controller of each epoch before anybody else can hear of it.
type announced struct {
	roomlog.Engine

	reports *reporter
	mu      sync.Mutex
	known   map[string]uint64
}

// Append is the engine's.
func (a *announced) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	place, err := a.Engine.Append(ctx, room, m)
	a.announce(room, place.Epoch)
	return place, err
}

// Head is the engine's.
func (a *announced) Head(ctx context.Context, room string) (roomlog.Cursor, error) {
	head, err := a.Engine.Head(ctx, room)
	a.announce(room, head.Epoch)
	return head, err
}

// Read is the engine's.
func (a *announced) Read(
	ctx context.Context, room string, after roomlog.Cursor, limit roomlog.Limit,
) (roomlog.Page, error) {
	page, err := a.Engine.Read(ctx, room, after, limit)
	a.announce(room, page.Head.Epoch)
	return page, err
}

func (a *announced) announce(room string, epoch uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	index, err := roomIndex(room)
	if err != nil || epoch == 0 || a.known[room] == epoch {
		return
	}
	a.known[room] = epoch
	a.reports.now(report{Events: []ledger.Event{{
		Kind: ledger.Life, Message: ledger.Message{Room: index}, Place: ledger.Place{Epoch: epoch},
	}}})
}
