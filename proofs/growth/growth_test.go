package growth_test

import (
	"context"
	"flag"
	goruntime "runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

var reconnects = flag.Int("growth.reconnects", 300, "how many")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// size is what a program has.
type size struct {
	goroutines int
	heap       uint64
}

// grown tells whether it is more than before, by more than chance. A thousand leaks of any kind are.
func (s size) grown(before size) bool {
	return s.goroutines > before.goroutines || s.heap > before.heap+512<<10
}

func TestReconnectsLeaveNothing(t *testing.T) { //nolint:paralleltest // it measures
	before, after := measure(t, func() {})
	t.Logf("%d reconnects: %+v, then %+v", *reconnects, before, after)
	if after.grown(before) {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestAPlantedLeakIsNoticed(t *testing.T) { //nolint:paralleltest // it measures
	end := make(chan struct{})
	var kept [][]byte
	for name, leak := range map[string]func(){
		"of goroutines": func() { go func() { <-end }() },
		"of memory":     func() { kept = append(kept, make([]byte, 4<<10)) },
	} {
		t.Run(name, func(t *testing.T) {
			before, after := measure(t, leak)
			if !after.grown(before) {
				t.Errorf("before %+v, after %+v", before, after)
			}
		})
	}
	close(end)
	goruntime.KeepAlive(kept)
}

// measure lets two sessions come back again and again, and calls also each time.
func measure(t *testing.T, also func()) (before, after size) {
	t.Helper()
	// A leaked goroutine would keep the bubble from ending: leaks are planted outside.
	planted, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range planted {
			also()
		}
	}()
	total := 0
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		heard := make(chan struct{}, 1)
		reader := srv.Dial("reader", session.WithRoom("r"))
		_, err := imv1sdk.NewClient(reader, imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			heard <- struct{}{}
			return nil
		}})
		if err == nil {
			err = reader.Connect(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		writer := srv.Session("writer", session.WithRoom("r"))
		again := func(times int) {
			for range times {
				srv.Cut()
				synctest.Wait()
				for _, s := range []*session.Session{reader, writer} {
					if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := writer.SendRaw(t.Context(), "r", int32(imv1.MessageType_MESSAGE_TYPE_TEXT), []byte("hi")); err != nil {
					t.Fatal(err)
				}
				<-heard
				time.Sleep(10 * time.Second) // the stream is stable
			}
			total += times
		}
		again(200) // windows of repeats and the like are full
		before = now()
		for range *reconnects {
			again(1)
			planted <- struct{}{}
		}
		after = now()
		if got := reader.Stats().Reconnects; got != uint64(total) {
			t.Errorf("%d reconnects instead of %d", got, total)
		}
	})
	close(planted)
	<-done
	return before, after
}

// now is the program's size once its timers have ended.
func now() size {
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	goruntime.GC()
	goruntime.GC()
	var stats goruntime.MemStats
	goruntime.ReadMemStats(&stats)
	return size{goruntime.NumGoroutine(), stats.HeapAlloc}
}
