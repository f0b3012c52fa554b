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

func TestSendsLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // it measures
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			_ = p.greet(welcome())
			for {
				message, err := p.Recv() // and writes nothing down
				if err != nil {
					return nil //nolint:nilerr // the client has gone
				}
				if len(message.GetContent()) == 0 || message.GetType() == 8 {
					_ = p.answer(message, true)
				}
			}
		}}
		n := start(t, srv)
		s := n.connected(t)
		long, end := context.WithCancel(t.Context())
		defer end()
		again := func(times int) {
			for i := range times {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				short, give := context.WithCancel(ctx)
				pending := s.SendAsync(long, &runtime.Outgoing{RoomID: "r", Type: 1000})
				s.SendAsync(short, &runtime.Outgoing{RoomID: "q", Type: 1000, Raw: []byte("no receipt")})
				give()
				if _, err := s.SendRaw(ctx, "r", 1000, nil); err != nil {
					t.Fatal(err)
				}
				if _, err := pending.Wait(ctx); err != nil {
					t.Fatal(err)
				}
				cancel()
				if i%500 == 499 { // what was given up goes with its stream
					restart(t, n, s)
					srv.mu.Lock()
					srv.peers = nil // they hold their connections
					srv.mu.Unlock()
				}
			}
		}
		again(1000)
		goroutines, heap := measured()
		again(5000)
		goroutinesNow, heapNow := measured()
		if goroutinesNow > goroutines || heapNow > heap+1<<20 {
			t.Errorf("%d goroutines, then %d; %d bytes on the heap, then %d", goroutines, goroutinesNow, heap, heapNow)
		}
	})
}
