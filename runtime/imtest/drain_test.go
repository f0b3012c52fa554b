package imtest_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/ringhash" // the policy ring_hash_experimental
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/balancer"
	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
	"github.com/game-im/im-grpc-sdk/runtime/internal/today"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// fleet is servers that share a log.
type fleet struct {
	servers map[string]*fleetServer
	dialer  grpc.DialOption
}

type fleetServer struct {
	*server.Server

	grpc *grpc.Server
}

func newFleet(t *testing.T, addresses ...string) *fleet {
	t.Helper()
	log := roomlog.NewMemory(roomlog.Retention{})
	listeners := map[string]*memconn.Listener{}
	f := &fleet{
		servers: map[string]*fleetServer{},
		dialer: grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return listeners[address].DialContext(ctx)
		}),
	}
	for _, address := range addresses {
		srv, err := server.New(server.WithLog(log))
		if err != nil {
			t.Fatal(err)
		}
		listener := memconn.Listen(1 << 16)
		listeners[address] = listener
		one := &fleetServer{srv, grpc.NewServer(append(server.GRPCOptions(), grpc.WaitForHandlers(true))...)}
		imv1.RegisterIMServiceServer(one.grpc, srv)
		go func() { _ = one.grpc.Serve(listener) }()
		t.Cleanup(func() { srv.Close(); one.grpc.Stop() })
		f.servers[address] = one
	}
	return f
}

func (f *fleet) conn(t *testing.T, config string) *grpc.ClientConn {
	t.Helper()
	names := manual.NewBuilderWithScheme("fleet")
	var state resolver.State
	for address := range f.servers {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: address}}})
	}
	names.InitialState(state)
	conn, err := grpc.NewClient("fleet:///im", grpc.WithResolvers(names), f.dialer,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// streams is how many sessions each server has.
func (f *fleet) streams() string {
	var found []string
	for address, srv := range f.servers {
		found = append(found, fmt.Sprintf("%s %d", address, srv.Stats().Streams))
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

func TestADrainLosesNothingRepeatsNothingAndLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	const ringHash = `{"loadBalancingConfig":[{"ring_hash_experimental":{"requestHashHeader":"user-id"}}]}`
	for name, dial := range map[string]func(t *testing.T, f *fleet, opts ...session.Option) (*session.Session, error){
		"pick first": func(_ *testing.T, f *fleet, opts ...session.Option) (*session.Session, error) {
			return session.Dial("static:///a:1,b:2,c:3",
				append(opts, session.WithBalancer(balancer.PickFirst), session.WithDialOptions(f.dialer))...)
		},
		"ring hash": func(_ *testing.T, f *fleet, opts ...session.Option) (*session.Session, error) {
			return session.Dial("static:///a:1,b:2,c:3",
				append(opts, session.WithDialOptions(f.dialer, grpc.WithDefaultServiceConfig(ringHash)))...)
		},
		"a given client": func(t *testing.T, f *fleet, opts ...session.Option) (*session.Session, error) {
			t.Helper()
			return session.New(imv1.NewIMServiceClient(f.conn(t, `{"loadBalancingConfig":[{"round_robin":{}}]}`)), opts...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { drainAll(t, dial) })
		})
	}
}

// drainAll drains one server after the other, but for the last one, while everybody talks.
func drainAll(
	t *testing.T, dial func(t *testing.T, f *fleet, opts ...session.Option) (*session.Session, error),
) {
	t.Helper()
	f := newFleet(t, "a:1", "b:2", "c:3")
	var errs, sent atomic.Int64
	var heard [6]recorder
	var clients [6]*imv1sdk.Client
	for i := range clients {
		s, err := dial(t, f, session.WithUser(fmt.Sprint("user", i)), session.WithRoom("r"),
			session.WithOnError(func(err error) { errs.Add(1); t.Log(err) }),
			session.WithOnGap(func(_ context.Context, gap session.Gap) { t.Errorf("a gap: %+v", gap) }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		clients[i], err = imv1sdk.NewClient(s, imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			heard[i].addf("%s", m.Content.GetText())
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		connect(t, s)
	}
	stop := make(chan struct{})
	var talkers sync.WaitGroup
	for i, client := range clients {
		talkers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
				}
				if _, err := client.SendText(t.Context(), "r", &imv1.TextContent{Text: fmt.Sprintf("%d:%d", i, n)}); err != nil {
					t.Errorf("user%d: %v", i, err)
				}
				sent.Add(1)
			}
		})
	}
	for _, address := range []string{"a:1", "b:2"} {
		time.Sleep(10 * time.Second)
		one := f.servers[address]
		if err := one.Drain(t.Context(), one.grpc); err != nil {
			t.Errorf("drain %s: %v", address, err)
		}
		if one.Stats().Streams != 0 {
			t.Errorf("after the drain of %s: %s", address, f.streams())
		}
	}
	time.Sleep(10 * time.Second)
	close(stop)
	talkers.Wait()
	time.Sleep(10 * time.Second)
	if got := f.streams(); got != "a:1 0, b:2 0, c:3 6" {
		t.Errorf("streams: %s", got)
	}
	for i := range heard {
		checkAll(t, i, heard[i].take(), int(sent.Load()))
	}
	if n := errs.Load(); n != 0 {
		t.Errorf("OnError was told %d times", n)
	}
}

// checkAll checks that a user heard everybody else's messages, each once and in order.
func checkAll(t *testing.T, user int, heard []string, sent int) {
	t.Helper()
	next := map[string]int{}
	for _, word := range heard {
		from, number, _ := strings.Cut(word, ":")
		if number != strconv.Itoa(next[from]) {
			t.Errorf("user%d heard %s, want %s:%d", user, word, from, next[from])
			return
		}
		next[from]++
	}
	if next[strconv.Itoa(user)] != 0 || len(heard) < sent*4/6 || len(next) != 5 {
		t.Errorf("user%d heard %d of %d messages: %v", user, len(heard), sent, next)
	}
}

func TestADrainedServersClientsOfTodaySeeUnavailableAndReconnectElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, "a:1", "b:2")
		conn := f.conn(t, `{"loadBalancingConfig":[{"round_robin":{}}]}`)
		dial := func() *today.Client {
			client, err := today.NewClient(t.Context(), conn, today.ClientOptions{User: "old", Room: "r"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			return client
		}
		client := dial()
		synctest.Wait()
		here, there := "a:1", "b:2"
		if f.streams() == "a:1 0, b:2 1" {
			here, there = there, here
		}
		if err := f.servers[here].Drain(t.Context(), f.servers[here].grpc); err != nil {
			t.Error(err)
		}
		if err, ended := client.Err(); !ended || status.Code(err) != codes.Unavailable {
			t.Errorf("ended %t with %v", ended, err)
		}
		dial()
		synctest.Wait()
		if got := f.servers[there].Stats().Streams; got != 1 {
			t.Errorf("streams: %s", f.streams())
		}
	})
}
