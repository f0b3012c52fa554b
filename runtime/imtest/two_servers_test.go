package imtest_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// pair is two servers that know nothing of one another.
type pair struct {
	dialer grpc.DialOption
	direct [2]imv1.IMServiceClient // past the balancer
	stop   [2]func()
}

func newPair(t *testing.T) *pair {
	t.Helper()
	listeners := map[string]*memconn.Listener{}
	p := &pair{dialer: grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		return listeners[address].DialContext(ctx)
	})}
	for i, address := range []string{"a:1", "b:2"} {
		listener := memconn.Listen(1 << 16)
		listeners[address] = listener
		srv, err := server.New()
		if err != nil {
			t.Fatal(err)
		}
		grpcServer := grpc.NewServer(append(server.GRPCOptions(), grpc.WaitForHandlers(true))...)
		imv1.RegisterIMServiceServer(grpcServer, srv)
		go func() { _ = grpcServer.Serve(listener) }()
		p.stop[i] = func() { srv.Close(); grpcServer.Stop() }
		t.Cleanup(p.stop[i])
		p.direct[i] = imv1.NewIMServiceClient(p.conn(t, "passthrough:///"+address))
	}
	return p
}

func (p *pair) conn(t *testing.T, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts, p.dialer, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// in tells who is in a room at each server.
func (p *pair) in(t *testing.T, room string) [2][]string {
	t.Helper()
	var users [2][]string
	for i, direct := range p.direct {
		info, err := direct.GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: room})
		if code := status.Code(err); err != nil && code != codes.NotFound && code != codes.Unavailable {
			t.Fatal(err)
		}
		for _, user := range info.GetUsers() {
			users[i] = append(users[i], user.GetUserId())
		}
	}
	return users
}

func TestRoomsAreRightBehindRoundRobinOverTwoServers(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func(t *testing.T, p *pair) func(opts ...session.Option) (*session.Session, error){
		"own client, static resolver": func(_ *testing.T, p *pair) func(...session.Option) (*session.Session, error) {
			return func(opts ...session.Option) (*session.Session, error) {
				return session.Dial("static:///a:1,b:2", append(opts, session.WithDialOptions(p.dialer))...)
			}
		},
		"injected client, one connection for all": func(t *testing.T, p *pair) func(...session.Option) (*session.Session, error) {
			t.Helper()
			both := manual.NewBuilderWithScheme("both")
			both.InitialState(resolver.State{Endpoints: []resolver.Endpoint{
				{Addresses: []resolver.Address{{Addr: "a:1"}}}, {Addresses: []resolver.Address{{Addr: "b:2"}}},
			}})
			client := imv1.NewIMServiceClient(p.conn(t, "both:///service", grpc.WithResolvers(both),
				grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`)))
			return func(opts ...session.Option) (*session.Session, error) { return session.New(client, opts...) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				roomsOverTwoServers(t, p, dial(t, p))
			})
		})
	}
}

// member is one session of the test.
type balanced struct {
	*session.Session

	user   string
	client *imv1sdk.Client
	heard  recorder
}

func roomsOverTwoServers(
	t *testing.T, p *pair, dial func(opts ...session.Option) (*session.Session, error),
) {
	t.Helper()
	ctx := t.Context()
	var all []*balanced
	for i := range 8 {
		b := &balanced{user: fmt.Sprint("user", i)}
		var err error
		if b.Session, err = dial(append(b.heard.told(), session.WithUser(b.user))...); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		b.client = record(t, b.Session, &b.heard)
		connect(t, b.Session)
		for _, room := range []string{"r1", "r2", "r3"} { // a unary join would meet the other server every other time
			if joined, err := b.JoinRoom(ctx, room); err != nil || !slices.Contains(joined.GetOnlineUsers(), b.user) {
				t.Fatalf("%s joins %s: %v, %v", b.user, room, joined, err)
			}
		}
		all = append(all, b)
	}
	synctest.Wait()

	at := p.in(t, "r1")
	if users := slices.Sorted(slices.Values(slices.Concat(at[0], at[1]))); len(users) != len(all) {
		t.Fatalf("in r1: %q, want each of %d users at one server", at, len(all))
	}
	for _, room := range []string{"r2", "r3"} {
		if other := p.in(t, room); !slices.Equal(other[0], at[0]) || !slices.Equal(other[1], at[1]) {
			t.Errorf("in %s: %q, in r1: %q", room, other, at)
		}
	}
	for _, b := range all {
		b.heard.take() // who joined, as far as b was there
	}
	for _, b := range all {
		if receipt, err := b.client.SendText(ctx, "r1", &imv1.TextContent{Text: "hi"}); err != nil || !receipt.Appended {
			t.Fatalf("%s sends: %+v, %v", b.user, receipt, err)
		}
	}
	synctest.Wait()
	for _, b := range all {
		b.heard.expect(t, hellosTo(b.user, at)...)
	}
	for _, b := range all {
		if _, err := b.LeaveRoom(ctx, "r1"); err != nil {
			t.Errorf("%s leaves: %v", b.user, err)
		}
	}
	if left := p.in(t, "r1"); len(left[0])+len(left[1]) > 0 {
		t.Errorf("still in r1: %q", left)
	}
	if other := p.in(t, "r2"); !slices.Equal(other[0], at[0]) || !slices.Equal(other[1], at[1]) {
		t.Errorf("in r2 after leaving r1: %q, before: %q", other, at)
	}

	p.stop[0]() // its users move to the other server
	time.Sleep(time.Minute)
	for room, want := range map[string]int{"r1": 0, "r2": len(all), "r3": len(all)} {
		if users := p.in(t, room); len(users[0]) > 0 || len(users[1]) != want {
			t.Errorf("in %s with one server left: %q, want all %d at the second", room, users, want)
		}
	}
}

// hellosTo is what a user hears: everybody at the same server but itself, in the order of sending.
func hellosTo(user string, at [2][]string) []string {
	var lines []string
	for _, users := range at {
		if !slices.Contains(users, user) {
			continue
		}
		for _, other := range users {
			if other != user {
				lines = append(lines, "text "+other+"@r1 hi")
			}
		}
	}
	return lines
}
