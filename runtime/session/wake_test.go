package session_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/game-im/im-grpc-sdk/runtime/discovery"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// patient waits an hour before each try.
func patient() session.Option {
	return session.WithReconnect(session.Reconnect{Wait: func(int, error) time.Duration { return time.Hour }})
}

func TestWakeEndsTheWaitBeforeATryAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		s := n.connected(t, patient())
		s.Wake() // nothing to wake, and it is not kept for later
		n.down()
		n.up()
		await(t, s, session.StateReconnecting)
		time.Sleep(time.Minute)
		begin := time.Now()
		s.Wake()
		await(t, s, session.StateConnected)
		if waited := time.Since(begin); waited > time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestAWakeDuringATryCountsForTheNextWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		s := n.connected(t, patient())
		n.down()
		await(t, s, session.StateReconnecting)
		s.Wake() // the try fails
		synctest.Wait()
		s.Wake()
		n.up()
		s.Wake()
		await(t, s, session.StateConnected)
	})
}

func await(t *testing.T, s *session.Session, state session.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Minute)
	defer cancel()
	if err := s.WaitState(ctx, state); err != nil {
		t.Fatal(err)
	}
}

func at(addresses ...string) resolver.State {
	var state resolver.State
	for _, address := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address})
	}
	return state
}

func TestOtherAddressesEndTheWaitBeforeATryAndTheSameDoNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		var moved atomic.Bool // the server is at "new" only
		dial := func(ctx context.Context, addr string) (net.Conn, error) {
			if moved.Load() && addr != "new:1" {
				return nil, net.ErrClosed
			}
			return n.dial(ctx, addr)
		}
		names := manual.NewBuilderWithScheme("names")
		names.InitialState(at("old:1"))
		s, err := session.Dial("names:///im", session.WithUser("u"), session.WithDiscovery(discovery.NewScheme(names)), patient(),
			session.WithDialOptions(grpc.WithContextDialer(dial)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = s.Close()
			<-s.Done()
		})
		connect(t, s)
		moved.Store(true)
		n.down()
		n.up()
		await(t, s, session.StateReconnecting)
		names.UpdateState(at("old:1"))
		time.Sleep(time.Minute)
		if s.State() != session.StateReconnecting || n.script.streams() != 1 {
			t.Errorf("the same address woke the session: %s", s.State())
		}
		begin := time.Now()
		names.UpdateState(at("new:1"))
		await(t, s, session.StateConnected)
		if waited := time.Since(begin); waited > time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}
