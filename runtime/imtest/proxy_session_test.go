package imtest_test

import (
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestASessionIsBackInItsRoomsAfterTheProxyCut(t *testing.T) {
	t.Parallel()
	srv, address := listenTCP(t)
	p := imtest.NewProxy(t, address)
	alice, lost := throughProxy(t, p)
	if _, err := alice.JoinRoom(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	<-lost
	if err := alice.WaitState(t.Context(), session.StateConnected); err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"lobby", "second"} {
		receipt, err := alice.SendRaw(t.Context(), room, int32(textType), []byte("back"))
		if err != nil || !receipt.Appended {
			t.Errorf("a send to %s: %+v, %v", room, receipt, err)
		}
		info, err := srv.GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: room})
		if err != nil || !slices.ContainsFunc(info.GetUsers(), func(u *imv1.RoomUser) bool { return u.GetUserId() == "alice" }) {
			t.Errorf("room %s is %v, %v", room, info, err)
		}
	}
	if got := p.Stats().Connections; got < 2 {
		t.Errorf("%d connections: the cut broke none", got)
	}
}

func TestASessionNoticesThatItsConnectionIsHalfOpen(t *testing.T) {
	t.Parallel()
	const interval, timeout = 200 * time.Millisecond, 100 * time.Millisecond
	const slack = 2 * time.Second // for a machine that has much to do; without heartbeats nobody would ever notice
	_, address := listenTCP(t)
	p := imtest.NewProxy(t, address)
	alice, lost := throughProxy(t, p, session.WithHeartbeat(interval, timeout))
	p.HalfOpen(true)
	start := time.Now()
	<-lost
	if took := time.Since(start); took > interval+timeout+slack {
		t.Errorf("the session noticed after %s", took)
	}
	p.HalfOpen(false)
	p.Cut() // the connection that was tried meanwhile
	if err := alice.WaitState(t.Context(), session.StateConnected); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.SendRaw(t.Context(), "lobby", int32(textType), []byte("back")); err != nil {
		t.Error(err)
	}
}

// listenTCP starts a server on a port.
func listenTCP(t *testing.T) (srv *server.Server, address string) {
	t.Helper()
	srv, err := server.New()
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(append(server.GRPCOptions(), grpc.WaitForHandlers(true))...)
	imv1.RegisterIMServiceServer(g, srv)
	var running sync.WaitGroup
	running.Go(func() { _ = g.Serve(listener) })
	t.Cleanup(func() {
		srv.Close()
		g.Stop()
		running.Wait()
	})
	return srv, listener.Addr().String()
}

// throughProxy connects alice, in the room lobby, and tells when she lost her connection.
func throughProxy(t *testing.T, p *imtest.Proxy, opts ...session.Option) (alice *session.Session, lost <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{}, 100)
	alice, err := session.Dial(p.Addr(), append(opts, session.WithUser("alice"), session.WithRoom("lobby"),
		session.WithOnDisconnect(func(error) { gone <- struct{}{} }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = alice.Close() })
	connect(t, alice)
	return alice, gone
}
