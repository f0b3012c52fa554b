package imtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// keepAlive is what the owner of a connection has to see to: a session on it cannot replace it.
var keepAlive = grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second})

func TestASilentConnectionIsNoticedWithin15SecondsAndReplaced(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func(srv *imtest.Server, opts ...session.Option) (*session.Session, error){
		"own client": func(srv *imtest.Server, opts ...session.Option) (*session.Session, error) {
			return srv.Dial("alice", opts...), nil
		},
		"injected client": func(srv *imtest.Server, opts ...session.Option) (*session.Session, error) {
			return session.New(imv1.NewIMServiceClient(srv.Conn(keepAlive)), append(opts, session.WithUser("alice"))...)
		},
		"injected client with its connection": func(srv *imtest.Server, opts ...session.Option) (*session.Session, error) {
			conn := srv.Conn(keepAlive)
			return session.New(imv1.NewIMServiceClient(conn),
				append(opts, session.WithUser("alice"), session.WithConn(conn))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := imtest.NewServer(t)
				lost := make(chan error, 1)
				alice, err := dial(srv, session.WithRoom("r"), session.WithOnDisconnect(func(err error) { lost <- err }))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = alice.Close() })
				connect(t, alice)
				freeze(t, srv, alice, lost)
			})
		})
	}
}

func freeze(t *testing.T, srv *imtest.Server, alice *session.Session, lost <-chan error) {
	t.Helper()
	time.Sleep(time.Minute)
	srv.Freeze()
	frozen := time.Now()
	if err := <-lost; status.Code(err) != codes.Unavailable {
		t.Errorf("OnDisconnect(%v)", err)
	}
	if took := time.Since(frozen); took > 15*time.Second {
		t.Errorf("the session noticed after %s", took)
	}

	// What is sent now waits for a server that is there.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	receipt, err := alice.SendRaw(ctx, "r", int32(textType), []byte("anybody there?"))
	if err != nil || !receipt.Appended {
		t.Errorf("a send after the silence: %+v, %v", receipt, err)
	}
	if took := time.Since(frozen); took > time.Minute {
		t.Errorf("the session was back after %s", took)
	}
	time.Sleep(time.Minute)
	info, err := srv.Server().GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: "r"})
	if err != nil || len(info.GetUsers()) != 1 || info.GetRoomInfo().GetMessageCount() != 1 {
		t.Errorf("the room is %v, %v", info, err)
	}
	if got := alice.Stats().Reconnects; got != 1 {
		t.Errorf("%d reconnects", got)
	}
}
