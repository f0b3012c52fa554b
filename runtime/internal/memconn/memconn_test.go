package memconn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Run with -race: without the lock around the making of a connection the race detector itself crashes here.
func TestManyMayConnectAtTheSameMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		listener := memconn.Listen(64)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 1000 {
					if _, err := listener.DialContext(ctx); !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestAConnectionCarriesBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		listener := memconn.Listen(64)
		go func() {
			client, err := listener.DialContext(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = client.Write([]byte("hello"))
			_ = client.Close()
		}()
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(server); string(got) != "hello" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		_ = server.Close()
	})
}

func TestAListenerThatIsClosedEndsEveryWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		listener := memconn.Listen(64)
		results := make(chan error)
		go func() {
			_, err := listener.DialContext(t.Context())
			results <- err
		}()
		synctest.Wait()
		_ = listener.Close()
		_ = listener.Close()
		if err := <-results; !errors.Is(err, net.ErrClosed) {
			t.Error("DialContext:", err)
		}
		if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error("Accept:", err)
		}
	})
}

func TestAContextEndsTheWaitForAccept(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	listener := memconn.Listen(64)
	if _, err := listener.DialContext(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if listener.Addr().String() != "memory" || listener.Addr().Network() != "memory" {
		t.Error(listener.Addr())
	}
}
