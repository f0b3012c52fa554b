package docs_test

import (
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestABadNetwork(t *testing.T) {
	t.Parallel()
	proxy := imtest.NewProxy(t, startServer(t)) // host:port of a server
	lost := make(chan error, 10)
	alice, err := session.Dial(proxy.Addr(), session.WithUser("alice"), session.WithRoom("lobby"),
		session.WithOnDisconnect(func(err error) { lost <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = alice.Close() })
	if err := alice.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}

	proxy.Throttle(imtest.ToTarget, 10_000) // bytes per second
	proxy.CutAfter(imtest.ToTarget, 100)    // in the middle of a message
	_, err = alice.SendRaw(t.Context(), "lobby", int32(imv1.MessageType_MESSAGE_TYPE_TEXT), make([]byte, 1000))
	t.Log("the send that was cut:", err)
	t.Log("the connection that was cut:", <-lost)
	if err := alice.WaitState(t.Context(), session.StateConnected); err != nil {
		t.Error(err)
	}
}

// startServer starts a server on a port of its own.
func startServer(t *testing.T) (address string) {
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
	g := grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(g, srv)
	var running sync.WaitGroup
	running.Go(func() { _ = g.Serve(listener) })
	t.Cleanup(func() {
		srv.Close()
		g.Stop()
		running.Wait()
	})
	return listener.Addr().String()
}
