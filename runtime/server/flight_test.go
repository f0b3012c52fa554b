package server_test

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

// hangingLog hangs in Read and Subscribe until it is let go, or their context is done.
type hangingLog struct {
	*countingLog

	let       chan struct{}
	cancelled atomic.Int64
}

func (l *hangingLog) hang(ctx context.Context) error {
	select {
	case <-l.let:
		return nil
	case <-ctx.Done():
		l.cancelled.Add(1)
		return ctx.Err()
	}
}

func (l *hangingLog) Read(ctx context.Context, room string, at roomlog.Cursor, limit roomlog.Limit) (roomlog.Page, error) {
	if err := l.hang(ctx); err != nil {
		return roomlog.Page{}, err
	}
	return l.countingLog.Read(ctx, room, at, limit)
}

func (l *hangingLog) Subscribe(ctx context.Context, room string, to func(roomlog.Record)) (func(), error) {
	if err := l.hang(ctx); err != nil {
		return nil, err
	}
	return l.countingLog.Subscribe(ctx, room, to)
}

func TestWhatSeveralWaitForGoesOnWhenTheStreamThatBeganItHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &hangingLog{countingLog: newCountingLog(0), let: make(chan struct{})}
		s := start(t, server.WithLog(log))
		from, at := log.backlog(t, 1, 0, 0)
		first := s.open("user-id", "first", "room-id", "room-0") // opens the room
		synctest.Wait()
		var reader *peer
		var wait sync.WaitGroup
		wait.Go(func() { reader, _ = s.resuming("reader", "", 1, 1, from...) })
		synctest.Wait()
		first.hangUp()
		close(log.let)
		wait.Wait()
		if log.cancelled.Load() != 0 {
			t.Fatal("the opening was cancelled")
		}
		(&catcher{peer: reader, at: maps.Clone(at)}).until("last", 1)
		log.let = make(chan struct{})
		second, _ := s.resuming("second", "", 2, 1, from...) // begins to read
		synctest.Wait()
		third, _ := s.resuming("third", "", 3, 1, from...)
		synctest.Wait()
		second.hangUp()
		close(log.let)
		(&catcher{peer: third, at: maps.Clone(at)}).until("last", 1)
		if log.cancelled.Load() != 0 {
			t.Error("the read was cancelled")
		}
	})
}

func TestAReadThatNobodyWaitsForIsCancelledAndOneThatTakesTooLongEndsItsStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &hangingLog{countingLog: newCountingLog(0), let: make(chan struct{})}
		s := start(t, server.WithLog(log))
		from, at := log.backlog(t, 1, 0, 0)
		close(log.let)
		s.today("keeps the room open", "room-0")
		log.let = make(chan struct{})
		first, _ := s.resuming("first", "", 1, 1, from...)
		second, _ := s.resuming("second", "", 2, 1, from...)
		synctest.Wait()
		first.hangUp()
		second.hangUp()
		if log.cancelled.Load() != 1 {
			t.Errorf("%d reads were cancelled", log.cancelled.Load())
		}
		third, _ := s.resuming("third", "", 3, 1, from...)
		begin := time.Now()
		wantStatus(t, third.ended(), codes.Unavailable, "cannot be reached", "connect again")
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("it took %s", took)
		}
		close(log.let)
		fourth, _ := s.resuming("fourth", "", 4, 1, from...)
		(&catcher{peer: fourth, at: at}).until("last", 1)
	})
}
