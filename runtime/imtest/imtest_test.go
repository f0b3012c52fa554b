package imtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestTheBotOfTheExampleAnswersInABubbleToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if answer := testBot(t); answer != "bot: You said: hello" {
			t.Errorf("the bot answers %q", answer)
		}
	})
}

func TestASessionIsConnectedAndClosedWhenTheTestEnds(t *testing.T) { //nolint:tparallel // it waits for the inner test
	t.Parallel()
	var alice *session.Session
	t.Run("the test", func(t *testing.T) {
		alice = imtest.NewServer(t).Session("alice", session.WithRoom("r"))
		if state := alice.State(); state != session.StateConnected {
			t.Errorf("state %s", state)
		}
	})
	if state := alice.State(); state != session.StateClosed {
		t.Errorf("state %s after the test", state)
	}
}

func TestOptionsReachTheServerAndHooksSurviveARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		setups, calls := 0, 0
		srv := imtest.NewServer(t,
			imtest.WithServerOptions(server.WithMaxRooms(1)),
			imtest.WithGRPCOptions(grpc.ChainUnaryInterceptor(
				func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
					calls++
					return next(ctx, req)
				})),
			imtest.WithSetup(func(s *server.Server) error {
				setups++
				_, err := imv1server.Register(s, imv1server.Hooks{
					OnText: func(context.Context, *imv1sdk.TextMessage) error {
						return status.Error(codes.PermissionDenied, "not today")
					},
				})
				return err
			}))
		ctx := t.Context()
		alice := srv.Session("alice", session.WithRoom("r"))
		first := srv.Server()
		for range 2 {
			_, err := alice.SendRaw(ctx, "r", int32(textType), []byte("hi"))
			if status.Code(err) != codes.PermissionDenied {
				t.Errorf("the hook did not refuse: %v", err)
			}
			if _, err := alice.JoinRoom(ctx, "r2"); status.Code(err) != codes.ResourceExhausted {
				t.Errorf("a second room: %v", err)
			}
			srv.Restart()
			time.Sleep(30 * time.Second)
		}
		if srv.Server() == first || setups != 3 {
			t.Errorf("%d setups, same server: %v", setups, srv.Server() == first)
		}
		if _, err := alice.HealthCheck(ctx, ""); err != nil || calls != 1 {
			t.Errorf("%v, %d calls passed the interceptor", err, calls)
		}
	})
}

func TestAStoppedServerRefusesUntilItStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		alice := srv.Session("alice")
		srv.Stop()
		srv.Stop() // no harm
		if srv.Server() != nil {
			t.Error("a stopped server is there")
		}
		bob := srv.Dial("bob", session.WithConnectTimeout(5*time.Second))
		err := bob.Connect(t.Context())
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "the server is stopped") {
			t.Errorf("Connect to a stopped server: %v", err)
		}
		synctest.Wait()
		if state := alice.State(); state != session.StateReconnecting {
			t.Errorf("alice is %s", state)
		}
		srv.Start()
		srv.Start() // no harm
		time.Sleep(30 * time.Second)
		if err := bob.Connect(t.Context()); err != nil {
			t.Error(err)
		}
		if state := alice.State(); state != session.StateConnected {
			t.Errorf("alice is %s", state)
		}
	})
}

func TestACutBreaksStreamsAndLeavesTheServerAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		lost := make(chan error, 1)
		alice := srv.Session("alice", session.WithRoom("r"), session.WithOnDisconnect(func(err error) { lost <- err }))
		before := srv.Server()
		conn := srv.Conn()
		unary := imv1.NewIMServiceClient(conn)
		if _, err := unary.HealthCheck(t.Context(), &imv1.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		srv.Cut()
		if err := <-lost; err == nil || errors.Is(err, session.ErrClosed) {
			t.Errorf("OnDisconnect(%v)", err)
		}
		time.Sleep(30 * time.Second)
		if state := alice.State(); state != session.StateConnected || srv.Server() != before {
			t.Errorf("state %s, same server: %v", state, srv.Server() == before)
		}
		if _, err := unary.GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: "r"}); err != nil {
			t.Errorf("a connection after the cut: %v", err)
		}
	})
}
