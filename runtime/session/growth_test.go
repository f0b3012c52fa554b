package session_test

import (
	"context"
	goruntime "runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// measured is what a program has, once its timers have ended.
func measured() (goroutines int, heap uint64) {
	time.Sleep(time.Minute)
	synctest.Wait()
	goruntime.GC()
	goruntime.GC()
	var stats goruntime.MemStats
	goruntime.ReadMemStats(&stats)
	return goruntime.NumGoroutine(), stats.HeapAlloc
}

func TestReconnectsLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // it measures
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		heard := make(chan struct{}, 1)
		reader := srv.Dial("reader", session.WithRoom("r"))
		_, err := imv1sdk.NewClient(reader, imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			heard <- struct{}{}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		connect(t, reader)
		writer := srv.Session("writer", session.WithRoom("r"))
		again := func(times int) {
			for range times {
				srv.Cut()
				for _, s := range []*session.Session{reader, writer} {
					if _, err := s.JoinRoom(t.Context(), "other"); err != nil { // waits until it is back
						t.Fatal(err)
					}
				}
				_, err := writer.SendRaw(t.Context(), "r", 1, []byte("hi"), runtime.WithAckRequired())
				if err != nil {
					t.Fatal(err)
				}
				<-heard
				time.Sleep(10 * time.Second) // the stream is stable
			}
		}
		again(20)
		goroutines, heap := measured()
		again(200)
		goroutinesNow, heapNow := measured()
		if goroutinesNow > goroutines || heapNow > heap+1<<20 || reader.Stats().Reconnects != 220 {
			t.Errorf("%d goroutines, after %d more reconnects %d; %d bytes on the heap, then %d",
				goroutines, reader.Stats().Reconnects-20, goroutinesNow, heap, heapNow)
		}
	})
}
