package remotelog_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/game-im/im-grpc-sdk/proofs/internal/remotelog"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog/roomlogtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestALogInAnotherProcessConforms(t *testing.T) {
	t.Parallel()
	roomlogtest.Run(t, roomlogtest.Config{Open: func(t *testing.T, retention roomlog.Retention) roomlog.Engine {
		t.Helper()
		return dial(t, serve(t, roomlog.NewMemory(retention)))
	}})
}

func TestASubscriptionOutlivesItsConnections(t *testing.T) {
	t.Parallel()
	log := roomlog.NewMemory(roomlog.Retention{})
	proxy := imtest.NewProxy(t, serve(t, log))
	engine := dial(t, proxy.Addr())
	records := make(chan roomlog.Record, 100)
	cancel, err := engine.Subscribe(t.Context(), "room", func(r roomlog.Record) { records <- r })
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	for i := range 20 {
		proxy.Cut()
		place, err := log.Append(t.Context(), "room", roomlog.Message{Key: string(rune('a' + i))})
		if err != nil {
			t.Fatal(err)
		}
		if record := <-records; record.Seq != place.Seq {
			t.Fatalf("record %d instead of %d", record.Seq, place.Seq)
		}
	}
}

// serve serves an engine until the test ends.
func serve(t *testing.T, engine roomlog.Engine) (address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := remotelog.Serve(listener, engine); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

func dial(t *testing.T, address string) *remotelog.Engine {
	t.Helper()
	engine, err := remotelog.Dial(context.WithoutCancel(t.Context()), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	return engine
}
