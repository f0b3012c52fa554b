package growth_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const text = int32(imv1.MessageType_MESSAGE_TYPE_TEXT)

// scene is a session in a state, and what runs there: calls that Close must end.
type scene struct {
	t       *testing.T
	srv     *imtest.Server
	session *session.Session
	calls   sync.WaitGroup
}

func TestCloseReturnsWithinASecondInEveryState(t *testing.T) {
	t.Parallel()
	for name, enter := range map[string]func(s *scene){
		"idle":                            func(s *scene) { s.dial() },
		"connecting to a black hole":      blackHole,
		"connected":                       func(s *scene) { s.connect() },
		"connected, half-open":            func(s *scene) { s.connect(); s.srv.Freeze() },
		"reconnecting, refused":           func(s *scene) { s.connect(); s.srv.Stop(); time.Sleep(time.Minute) },
		"reconnecting, in a try":          inATry,
		"with a full outbox":              fullOutbox,
		"with a full outbox, half-open":   func(s *scene) { s.connect(session.WithOutbox(4, 1<<20)); s.srv.Freeze(); s.fill() },
		"while a join waits":              waitingJoin,
		"while a handler does not return": blockedHandler,
		"closed":                          func(s *scene) { s.connect(); _ = s.session.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &scene{t: t, srv: imtest.NewServer(t)}
				enter(s)
				synctest.Wait()
				began := time.Now()
				_ = s.session.Close()
				if took := time.Since(began); took > time.Second {
					t.Errorf("Close took %s", took)
				}
				s.calls.Wait()
				if took := time.Since(began); took > time.Second {
					t.Errorf("calls waited %s more", took)
				}
				<-s.session.Done() // the handler may take its time
				if state := s.session.State(); state != session.StateClosed {
					t.Errorf("it is %s", state)
				}
			})
		})
	}
}

func TestCloseFromAHandlerReturnsWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, srv: imtest.NewServer(t)}
		s.dial()
		var took time.Duration
		s.handle(func(context.Context) {
			began := time.Now()
			_ = s.session.Close()
			took = time.Since(began)
		})
		<-s.session.Done()
		if took > time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}

func (s *scene) dial(opts ...session.Option) {
	s.session = s.srv.Dial("user", append(opts, session.WithRoom("room"))...)
}

func (s *scene) connect(opts ...session.Option) {
	s.dial(opts...)
	if err := s.session.Connect(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// handle connects, and has f run by a handler.
func (s *scene) handle(f func(ctx context.Context)) {
	_, err := imv1sdk.NewClient(s.session, imv1sdk.Handlers{OnText: func(ctx context.Context, _ *imv1sdk.TextMessage) error {
		f(ctx)
		return nil
	}})
	if err == nil {
		err = s.session.Connect(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	other := s.srv.Session("other", session.WithRoom("room"))
	if _, err := other.SendRaw(s.t.Context(), "room", text, []byte("hi")); err != nil {
		s.t.Fatal(err)
	}
}

// fill starts more sends than the outbox takes.
func (s *scene) fill() {
	for range 10 {
		s.calls.Go(func() { _, _ = s.session.SendRaw(s.t.Context(), "room", text, []byte("hi")) })
	}
}

// blackHole dials what never answers.
func blackHole(s *scene) {
	s.dial(session.WithDialOptions(grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})))
	s.calls.Go(func() { _ = s.session.Connect(s.t.Context()) })
}

// inATry connects, breaks the connection, and lets no further stream start.
func inATry(s *scene) {
	streams := 0
	s.connect(session.WithDialOptions(grpc.WithStreamInterceptor(func(
		ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer,
		opts ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		if streams++; streams > 1 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return streamer(ctx, desc, cc, method, opts...)
	})))
	s.srv.Cut()
	time.Sleep(time.Second)
}

func fullOutbox(s *scene) {
	s.connect(session.WithOutbox(4, 1<<20))
	s.srv.Stop()
	time.Sleep(time.Second)
	s.fill()
}

func waitingJoin(s *scene) {
	s.connect()
	s.srv.Freeze()
	s.calls.Go(func() { _, _ = s.session.JoinRoom(s.t.Context(), "other room") })
}

// blockedHandler has a handler that looks at nothing for ten minutes.
func blockedHandler(s *scene) {
	s.dial()
	entered := make(chan struct{})
	s.handle(func(context.Context) {
		close(entered)
		time.Sleep(10 * time.Minute)
	})
	<-entered
}
