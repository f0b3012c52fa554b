package roomlogtest_test

import (
	"context"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog/roomlogtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnEngineOverANetworkCanPass(t *testing.T) {
	t.Parallel()
	roomlogtest.Run(t, roomlogtest.Config{
		Open: func(t *testing.T, retention roomlog.Retention) roomlog.Engine {
			t.Helper()
			return newRemote(t, roomlog.NewMemory(retention))
		},
		Another: func(t *testing.T, engine roomlog.Engine) roomlog.Engine {
			t.Helper()
			handle, ok := engine.(*remote)
			if !ok {
				t.Fatalf("the engine is a %T", engine)
			}
			return newRemote(t, handle.Memory)
		},
		LeavesOut: true,
	})
}

// remote is a handle of logs that are elsewhere: between two messages there is room for three of other rooms, subscribers
// hear later, and not of everything.
type remote struct {
	*roomlog.Memory

	running sync.WaitGroup
}

func newRemote(t *testing.T, logs *roomlog.Memory) *remote {
	t.Helper()
	r := &remote{Memory: logs}
	t.Cleanup(r.running.Wait)
	return r
}

const apart = 4

func farther(place roomlog.Place) roomlog.Place {
	place.Seq, place.PrevSeq = place.Seq*apart, place.PrevSeq*apart
	return place
}

func (r *remote) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	place, err := r.Memory.Append(ctx, room, m)
	return farther(place), err
}

func (r *remote) Find(ctx context.Context, room, key string, hash roomlog.Hash) (roomlog.Place, bool, error) {
	place, found, err := r.Memory.Find(ctx, room, key, hash)
	return farther(place), found, err
}

func (r *remote) Head(ctx context.Context, room string) (roomlog.Cursor, error) {
	head, err := r.Memory.Head(ctx, room)
	head.Seq *= apart
	return head, err
}

func (r *remote) Read(ctx context.Context, room string, after roomlog.Cursor, limit roomlog.Limit) (roomlog.Page, error) {
	after.Seq /= apart
	page, err := r.Memory.Read(ctx, room, after, limit)
	page.Head.Seq *= apart
	if page.Gap != nil {
		page.Gap.Next.Seq *= apart
	}
	for i := range page.Records {
		page.Records[i].Place = farther(page.Records[i].Place)
	}
	return page, err
}

func (r *remote) Subscribe(ctx context.Context, room string, to func(roomlog.Record)) (func(), error) {
	wire, hungUp := make(chan roomlog.Record, 16), make(chan struct{})
	cancel, err := r.Memory.Subscribe(ctx, room, func(record roomlog.Record) {
		if record.Seq%5 == 2 {
			return
		}
		record.Place = farther(record.Place)
		select {
		case wire <- record:
		default: // too slow
		}
	})
	if err != nil {
		return nil, err
	}
	r.running.Go(func() {
		for {
			select {
			case <-hungUp:
				return
			case record := <-wire:
				to(record)
			}
		}
	})
	return sync.OnceFunc(func() {
		cancel()
		close(hungUp)
	}), nil
}
