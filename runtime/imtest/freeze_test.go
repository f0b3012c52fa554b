package imtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAFrozenNetworkIsNoticedByBothSidesWithin15Seconds(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func(srv *imtest.Server, opts ...session.Option) (*session.Session, error){
		"own client": func(srv *imtest.Server, opts ...session.Option) (*session.Session, error) {
			return srv.Dial("alice", opts...), nil
		},
		"injected client": func(srv *imtest.Server, opts ...session.Option) (*session.Session, error) {
			return session.New(imv1.NewIMServiceClient(srv.Conn()), append(opts, session.WithUser("alice"))...)
		},
		"injected client with its connection": func(srv *imtest.Server, opts ...session.Option) (*session.Session, error) {
			conn := srv.Conn()
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
				freezeAndThaw(t, srv, alice, lost)
			})
		})
	}
}

func freezeAndThaw(t *testing.T, srv *imtest.Server, alice *session.Session, lost <-chan error) {
	t.Helper()
	time.Sleep(time.Minute)
	srv.Freeze()
	srv.Freeze() // no harm
	frozen := time.Now()
	if err := <-lost; status.Code(err) != codes.Unavailable {
		t.Errorf("OnDisconnect(%v)", err)
	}
	if took := time.Since(frozen); took > 15*time.Second {
		t.Errorf("the session noticed after %s", took)
	}
	time.Sleep(15*time.Second - time.Since(frozen))
	synctest.Wait()
	who := &imv1.GetRoomInfoRequest{RoomId: "r"}
	if info, err := srv.Server().GetRoomInfo(t.Context(), who); status.Code(err) != codes.NotFound {
		t.Errorf("after 15 s the server has %v, %v in the room", info.GetUsers(), err)
	}

	for range 30 { // a stream that opens on a dead connection is none
		time.Sleep(10 * time.Second)
		if state := alice.State(); state != session.StateReconnecting {
			t.Fatalf("alice is %s on a frozen network", state)
		}
	}
	srv.Thaw()
	srv.Thaw() // no harm
	time.Sleep(40 * time.Second)
	if info, err := srv.Server().GetRoomInfo(t.Context(), who); err != nil || len(info.GetUsers()) != 1 {
		t.Errorf("after the thaw the server has %v, %v in the room", info.GetUsers(), err)
	}
	if got := alice.Capabilities(); !got.Receipts {
		t.Errorf("capabilities %+v after the thaw", got)
	}
}
