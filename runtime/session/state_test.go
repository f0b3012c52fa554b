package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// diary writes down what callbacks and handlers say, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// take gives the lines since the last take.
func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

func (d *diary) callbacks() []session.Option {
	return []session.Option{
		session.WithOnState(func(state session.State) { d.add("%s", state) }),
		session.WithOnConnect(func() { d.add("OnConnect") }),
		session.WithOnDisconnect(func(err error) { d.add("OnDisconnect: %v", err) }),
		session.WithOnError(func(err error) { d.add("OnError: %v", err) }),
	}
}

func expect(t *testing.T, what string, take func() []string, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := take(); !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// calls are all methods that need a session which was connected.
func calls(ctx context.Context, s *session.Session) map[string]error {
	errs := make(map[string]error)
	_, errs["SendRaw"] = s.SendRaw(ctx, "r", 1, []byte("x"))
	_, errs["Send"] = s.Send(ctx, &runtime.Outgoing{RoomID: "r", Type: 1})
	_, errs["JoinRoom"] = s.JoinRoom(ctx, "r")
	_, errs["LeaveRoom"] = s.LeaveRoom(ctx, "r")
	_, errs["GetRoomInfo"] = s.GetRoomInfo(ctx, "r")
	_, errs["GetAudioTranscript"] = s.GetAudioTranscript(ctx, "a")
	_, errs["UploadAudio"] = s.UploadAudio(ctx, strings.NewReader("x"), session.AudioInfo{RoomID: "r"})
	return errs
}

func TestCallsBeforeConnectAndAfterCloseFailAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		s := n.session(t)
		for name, err := range calls(t.Context(), s) {
			if !errors.Is(err, session.ErrNotConnected) || status.Code(err) != codes.FailedPrecondition ||
				!strings.Contains(err.Error(), "call Connect first") {
				t.Errorf("%s before Connect: %v", name, err)
			}
		}
		connect(t, s)
		if err := s.Connect(t.Context()); !errors.Is(err, session.ErrAlreadyConnected) {
			t.Errorf("Connect twice: %v", err)
		}
		if s.Err() != nil {
			t.Errorf("Err: %v", s.Err())
		}
		_ = s.Close()
		_ = s.Close()
		errs := calls(t.Context(), s)
		_, errs["HealthCheck"] = s.HealthCheck(t.Context(), "")
		_, errs["SendUnary"] = s.SendUnary(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1})
		errs["Connect"] = s.Connect(t.Context())
		errs["Err"] = s.Err()
		errs["WaitState"] = s.WaitState(t.Context(), session.StateConnected)
		for name, err := range errs {
			if !errors.Is(err, session.ErrClosed) || !strings.Contains(err.Error(), "the session is closed") {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if err := s.WaitState(t.Context(), session.StateClosed); err != nil {
			t.Errorf("WaitState closed: %v", err)
		}
		<-s.Done()
	})
}

func TestCallbacksTellInOrderWhatHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		end := make(chan error)
		n := start(t, &script{stream: func(p *peer) error {
			if p.number == 1 {
				if err := p.greet(welcome()); err != nil {
					return err
				}
				return <-end
			}
			return p.serve(welcome(), nil)
		}})
		s := n.session(t, d.callbacks()...)
		if s.State() != session.StateIdle {
			t.Errorf("a new session is %s", s.State())
		}
		connect(t, s)
		expect(t, "Connect", d.take, "connecting", "connected", "OnConnect")
		end <- status.Error(codes.Unavailable, "the server goes")
		time.Sleep(time.Second)
		expect(t, "the stream's end", d.take, "reconnecting", "OnDisconnect: stream: Unavailable: the server goes",
			"connected", "OnConnect")
		if got := s.Stats().Reconnects; got != 1 {
			t.Errorf("reconnects: %d", got)
		}
		_ = s.Close()
		expect(t, "Close", d.take, "closed", "OnDisconnect: the session is closed")
		<-s.Done()
	})
}

func TestAConnectThatFailsEndsIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		s := start(t, &script{stream: func(*peer) error { return status.Error(codes.PermissionDenied, "no") }}).
			session(t, d.callbacks()...)
		waiting := make(chan error, 1)
		err := s.Connect(t.Context())
		go func() { waiting <- s.WaitState(t.Context(), session.StateConnected) }()
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("Connect: %v", err)
		}
		expect(t, "states", d.take, "connecting", "idle")
		_ = s.Close()
		if err := <-waiting; !errors.Is(err, session.ErrClosed) {
			t.Errorf("WaitState: %v", err)
		}
	})
}

func TestWaitStateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &script{}).session(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.WaitState(ctx, session.StateConnected)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the session is idle, not connected") {
			t.Errorf("WaitState: %v", err)
		}
	})
}

func TestWaitStateNoticesAStateThatPassesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan error)
		s := start(t, &script{stream: func(p *peer) error {
			if p.number > 1 {
				return p.serve(welcome(), nil)
			}
			if err := p.greet(welcome()); err != nil {
				return err
			}
			return <-end
		}}).connected(t, session.WithReconnect(session.Reconnect{Wait: func(int, error) time.Duration { return 0 }}))
		waiting := make(chan error, 1)
		go func() { waiting <- s.WaitState(t.Context(), session.StateReconnecting) }()
		synctest.Wait()
		end <- nil
		if err := <-waiting; err != nil {
			t.Error(err)
		}
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseReturnsFromAnywhere(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(closing func()) []session.Option{
		"OnConnect": func(closing func()) []session.Option { return []session.Option{session.WithOnConnect(closing)} },
		"OnState": func(closing func()) []session.Option {
			return []session.Option{session.WithOnState(func(state session.State) {
				if state == session.StateConnected {
					closing()
				}
			})}
		},
		"OnError": func(closing func()) []session.Option {
			return []session.Option{session.WithOnError(func(error) { closing() })}
		},
		"OnMessage": func(closing func()) []session.Option {
			return []session.Option{session.WithOnMessage(func(context.Context, *runtime.Incoming) { closing() })}
		},
		"a handler": func(closing func()) []session.Option {
			return []session.Option{session.WithUnknown(func(context.Context, *runtime.Incoming) error { closing(); return nil })}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := start(t, &script{stream: func(p *peer) error {
					if err := p.greet(welcome()); err != nil {
						return err
					}
					_ = p.push(&imv1.MessageResponse{RoomId: "r", Type: 1000})
					_ = p.push(&imv1.MessageResponse{RoomId: "r2", Type: ackType, Content: []byte("{")})
					<-p.Context().Done() // it does not end when the client half-closes
					return nil
				}})
				var s *session.Session
				var took time.Duration
				opts := where(func() {
					began := time.Now()
					_ = s.Close()
					took = time.Since(began)
				})
				s = n.session(t, append(opts, session.WithOnAck(func(context.Context, session.Ack) {}))...)
				_ = s.Connect(t.Context())
				<-s.Done()
				if s.State() != session.StateClosed || took > time.Second {
					t.Errorf("the session is %s; Close took %s", s.State(), took)
				}
			})
		})
	}
}

func TestCloseWaitsForNoHandlerButDoneDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cancelled bool
		release := make(chan struct{})
		n := start(t, &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(*imv1.MessageRequest) (bool, error) {
				return true, p.push(&imv1.MessageResponse{RoomId: "r", Type: 1000})
			})
		}})
		s := n.session(t, session.WithUnknown(func(ctx context.Context, _ *runtime.Incoming) error {
			<-ctx.Done()
			cancelled = true
			<-release
			return nil
		}))
		connect(t, s)
		synctest.Wait()
		_ = s.Close()
		synctest.Wait()
		select {
		case <-s.Done():
			t.Error("Done is closed while a handler runs")
		default:
		}
		close(release)
		<-s.Done()
		if !cancelled {
			t.Error("the handler's context lives on")
		}
	})
}

func TestWhatWasSentBeforeCloseArrives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(nil, func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() == textType {
					time.Sleep(10 * time.Millisecond)
				}
				return false, nil
			})
		}}
		s := start(t, srv).connected(t)
		for range 20 {
			if _, err := s.SendRaw(t.Context(), "r", int32(textType), []byte("bye")); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.Close()
		if got := len(srv.peer(t, 1).all(textType)); got != 20 {
			t.Errorf("the server got %d of 20", got)
		}
	})
}

func TestAPanicInACallbackEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		s := start(t, &script{}).connected(t, append(d.callbacks(), session.WithOnConnect(func() {
			panic("oh") //nolint:forbidigo // what is tested
		}))...)
		synctest.Wait()
		_ = s.Close()
		expect(t, "callbacks", d.take, "connecting", "connected", "closed", "OnDisconnect: the session is closed")
	})
}

func TestRegisterComesBeforeConnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &script{}).session(t)
		if _, err := imv1sdk.NewClient(s, imv1sdk.Handlers{}); err != nil {
			t.Fatal(err)
		}
		if _, err := imv1sdk.NewClient(s, imv1sdk.Handlers{}); !errors.Is(err, runtime.ErrKindClaimed) {
			t.Errorf("a kind claimed twice: %v", err)
		}
		connect(t, s)
		_, err := imv1sdk.NewClient(s, imv1sdk.Handlers{})
		if !errors.Is(err, session.ErrAlreadyConnected) || !strings.Contains(err.Error(), "before Connect") {
			t.Errorf("Register after Connect: %v", err)
		}
	})
}

func TestASessionOnAGivenClientLeavesItsConnectionOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{health: func(*imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
			return new(imv1.HealthCheckResponse), nil
		}}
		client, _ := start(t, srv).client(t)
		s, err := session.New(client, session.WithUser("u"))
		if err != nil {
			t.Fatal(err)
		}
		connect(t, s)
		if s.User() != "u" {
			t.Errorf("User: %q", s.User())
		}
		_ = s.Close()
		<-s.Done()
		if _, err := client.HealthCheck(t.Context(), new(imv1.HealthCheckRequest)); err != nil {
			t.Errorf("the client after Close: %v", err)
		}
	})
}
