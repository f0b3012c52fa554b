package session_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime/discovery"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestWakeEndsTheWaitOfAReconnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		var waits atomic.Int32
		s := n.connected(t, session.WithReconnect(session.Reconnect{Wait: func(int, error) time.Duration {
			waits.Add(1)
			return time.Hour
		}}))
		s.Wake() // while it is connected: forgotten
		n.down()
		time.Sleep(time.Minute)
		if s.State() != session.StateReconnecting || waits.Load() != 1 {
			t.Fatalf("%s after %d waits", s.State(), waits.Load())
		}
		began := time.Now()
		s.Wake() // the try fails, nobody is there
		time.Sleep(time.Minute)
		if waits.Load() != 2 {
			t.Errorf("%d waits", waits.Load())
		}
		n.up()
		s.Wake()
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 62*time.Second || waits.Load() != 2 {
			t.Errorf("after %s and %d waits", took, waits.Load())
		}
	})
}

func TestWakeDuringATryBringsTheNextOneForward(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			switch p.number {
			case 1:
				err := p.greet(welcome())
				time.Sleep(100 * time.Millisecond)
				return err
			case 2:
				time.Sleep(500 * time.Millisecond)
				return status.Error(codes.Unavailable, "starting")
			default:
				return p.serve(welcome(), nil)
			}
		}}
		s := start(t, srv).connected(t, session.WithReconnect(session.Reconnect{Wait: func(attempt int, _ error) time.Duration {
			return []time.Duration{time.Second, time.Hour}[attempt-1]
		}}))
		time.Sleep(1300 * time.Millisecond)
		s.Wake()
		time.Sleep(time.Second)
		synctest.Wait()
		if s.State() != session.StateConnected || srv.streams() != 3 {
			t.Errorf("%s on stream %d", s.State(), srv.streams())
		}
	})
}

// found is a discovery backend that says what the test tells it.
func found(addresses ...string) (*manual.Resolver, func(addresses ...string) resolver.State) {
	r := manual.NewBuilderWithScheme("found")
	state := func(addresses ...string) resolver.State {
		var endpoints []resolver.Endpoint
		for _, address := range addresses {
			endpoints = append(endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: address}}})
		}
		return resolver.State{Endpoints: endpoints}
	}
	r.InitialState(state(addresses...))
	return r, state
}

func TestOtherServersEndTheWaitOfAReconnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		r, state := found("a:1", "b:2")
		var waits atomic.Int32
		s, err := session.Dial("found:///im", session.WithUser("u"), session.WithDiscovery(discovery.NewScheme(r)),
			session.WithDialOptions(grpc.WithContextDialer(n.dial)),
			session.WithReconnect(session.Reconnect{Wait: func(int, error) time.Duration {
				waits.Add(1)
				return 1000 * time.Hour
			}}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close(); <-s.Done() })
		connect(t, s)
		n.down()
		for _, same := range []resolver.State{state("a:1", "b:2"), state("b:2", "a:1"), {}} {
			_ = r.CC().UpdateState(same)
			time.Sleep(time.Minute)
			if s.State() != session.StateReconnecting || waits.Load() != 1 {
				t.Errorf("%v: it is %s after %d waits", same.Endpoints, s.State(), waits.Load())
			}
		}
		n.up()
		began := time.Now()
		_ = r.CC().UpdateState(state("a:1", "b:2")) // they are back
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil || time.Since(began) > time.Second {
			t.Errorf("back after %s: %v", time.Since(began), err)
		}
		n.down()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		n.up()
		began = time.Now()
		r.CC().NewAddress([]resolver.Address{{Addr: "c:3"}}) //nolint:staticcheck // resolvers of today may call it
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil || time.Since(began) > time.Second {
			t.Errorf("elsewhere after %s: %v", time.Since(began), err)
		}
	})
}

// registered is a resolver that gRPC knows by itself, as it knows dns.
var registered = func() *manual.Resolver {
	r := manual.NewBuilderWithScheme("registered")
	resolver.Register(r)
	return r
}()

func TestAResolverOfGRPCEndsTheWaitTooUnlessTheApplicationHasItsOwn(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := start(t, &script{})
			used, want := registered, session.StateConnected
			opts := []session.Option{session.WithUser("u"), session.WithDialOptions(grpc.WithContextDialer(n.dial)), never()}
			if own {
				used, want = manual.NewBuilderWithScheme("registered"), session.StateReconnecting
				opts = append(opts, session.WithDialOptions(grpc.WithResolvers(used)))
			}
			used.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: "a:1"}}})
			s, err := session.Dial("registered:///im", opts...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close(); <-s.Done() })
			connect(t, s)
			n.down()
			time.Sleep(time.Minute)
			n.up()
			used.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: "b:2"}}})
			time.Sleep(time.Minute)
			synctest.Wait()
			if s.State() != want {
				t.Errorf("a resolver of the application's own: %t; it is %s", own, s.State())
			}
		})
	}
}

// named is a resolver that says what calls carry as their authority.
type named struct{ *manual.Resolver }

func (named) OverrideAuthority(resolver.Target) string { return "resolver.example" }

func TestWhatAResolverSaysOfNamesStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		plain, state := found("a:1")
		overriding, _ := found("a:1")
		serving, _ := found()
		ofServer := state("a:1")
		ofServer.Endpoints[0].Addresses[0].ServerName = "server.example"
		serving.InitialState(ofServer)
		for i, test := range []struct {
			builder resolver.Builder
			want    string
		}{
			{plain, "im"}, {named{overriding}, "resolver.example"}, {named{serving}, "server.example"},
		} {
			s, err := session.Dial("found:///im", session.WithUser("u"), session.WithDiscovery(discovery.NewScheme(test.builder)),
				session.WithDialOptions(grpc.WithContextDialer(n.dial)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close(); <-s.Done() })
			connect(t, s)
			equal(t, "authority", n.script.peer(t, i+1).md.Get(":authority"), test.want)
		}
	})
}
