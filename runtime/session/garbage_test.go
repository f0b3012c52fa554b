package session_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// garbage is no protobuf message.
var garbage = []byte("\xff\xff\xff")

func TestAnAnswerThatDoesNotParseIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				answer := &imv1.MessageResponse{MessageId: m.GetMessageId(), Content: garbage}
				switch m.GetType() {
				case joinType:
					answer.Type = imv1.MessageType_MESSAGE_TYPE_JOINED
				case leaveType:
					answer.Type = imv1.MessageType_MESSAGE_TYPE_LEFT
				default:
					return false, nil
				}
				return true, p.push(answer)
			})
		}}
		s := start(t, srv).connected(t)
		_, err := s.JoinRoom(t.Context(), "r")
		if status.Code(err) != codes.Internal || !strings.HasPrefix(err.Error(), `join room (room "r"): the answer does not parse`) {
			t.Errorf("JoinRoom: %v", err)
		}
		_, err = s.LeaveRoom(t.Context(), "r")
		if status.Code(err) != codes.Internal || !strings.HasPrefix(err.Error(), `leave room (room "r"): the answer does not parse`) {
			t.Errorf("LeaveRoom: %v", err)
		}
		if len(s.Rooms()) != 0 || s.State() != session.StateConnected {
			t.Errorf("rooms %q, state %s", s.Rooms(), s.State())
		}
	})
}

func TestAReceiptThatDoesNotParseEndsTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() != textType || p.number > 1 {
					return false, nil
				}
				return true, p.push(&imv1.MessageResponse{Type: imv1.MessageType_MESSAGE_TYPE_RECEIPT, Content: garbage})
			})
		}}
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{}, session.WithOnDisconnect(func(err error) { d.add("%v", err) }))
		if _, err := client.SendText(t.Context(), "r", text("x")); err != nil {
			t.Errorf("the send, which the next stream has too: %v", err)
		}
		synctest.Wait()
		if lines := d.take(); len(lines) != 1 || !strings.HasPrefix(lines[0], "stream: a receipt does not parse") {
			t.Errorf("OnDisconnect: %q", lines)
		}
	})
}

func TestAReceiptForNothingIsIgnored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() == textType {
					id, room, number := m.GetMessageId(), m.GetRoomId(), m.GetSendNumber()
					return true, errors.Join(
						p.receipt(&imsdkv1.Receipt{RoomId: "elsewhere", MessageId: id, SendNumber: number, Seq: 1}),
						p.receipt(&imsdkv1.Receipt{RoomId: room, MessageId: "other", SendNumber: number, Seq: 2}),
						p.receipt(&imsdkv1.Receipt{RoomId: room, MessageId: id, SendNumber: 99, Seq: 3}),
						p.receipt(&imsdkv1.Receipt{RoomId: room, MessageId: id, SendNumber: number, Seq: 4}),
						p.receipt(&imsdkv1.Receipt{RoomId: room, MessageId: id, SendNumber: number, Seq: 5}))
				}
				return false, nil
			})
		}}
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		receipt, err := client.SendText(t.Context(), "r", text("x"))
		if err != nil || receipt.Seq != 4 {
			t.Errorf("%+v, %v", receipt, err)
		}
	})
}

func TestMoreAcksThanTheServerReadsAreReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reported atomic.Pointer[error]
		srv := &script{stream: func(p *peer) error {
			if err := p.SendHeader(nil); err != nil {
				return err
			}
			for range 30_000 { // more than what waits, the windows and the connection hold together
				m := &imv1.MessageResponse{RoomId: "r", Type: 1000, AckRequired: true}
				if err := p.push(m); err != nil {
					return err
				}
			}
			<-p.Context().Done()
			return nil
		}}
		ok := func(context.Context, *runtime.Incoming) error { return nil }
		s := start(t, srv).connected(t, session.WithUnknown(ok), session.WithOnError(func(err error) { reported.Store(&err) }))
		synctest.Wait()
		err := reported.Load()
		if err == nil || status.Code(*err) != codes.ResourceExhausted ||
			!strings.Contains((*err).Error(), `acknowledge (room "r"): too many wait already`) {
			t.Errorf("OnError: %v", err)
		}
		if got := s.Stats().Received; got != 30_000 {
			t.Errorf("received %d", got)
		}
	})
}

func TestCloseFreesSendsThatTheServerDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if err := p.greet(welcome()); err != nil {
				return err
			}
			<-p.Context().Done()
			return nil
		}}
		s := start(t, srv).connected(t)
		ended := make(chan error)
		for range 8 {
			go func() {
				_, err := s.SendRaw(context.Background(), "r", 1000, make([]byte, 1<<20))
				ended <- err
			}()
		}
		synctest.Wait()
		began := time.Now()
		_ = s.Close()
		for range 8 {
			if err := <-ended; !errors.Is(err, session.ErrClosed) {
				t.Errorf("send: %v", err)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAStreamThatEndsDuringTheHandshakeFailsConnect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"with an error":    {status.Error(codes.Internal, "broken"), "Internal: broken"},
		"without a reason": {nil, "the server ended it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, &script{stream: func(*peer) error {
					time.Sleep(100 * time.Millisecond)
					return test.err
				}}).session(t)
				if err := s.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("Connect: %v", err)
				}
			})
		})
	}
}

func TestAShortConnectTimeoutStillFindsASilentServerOfToday(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error { <-p.Context().Done(); return nil }}
		start(t, srv).connected(t, session.WithConnectTimeout(500*time.Millisecond))
	})
}

// asking is a slog handler that asks the session something each time, as an application's may.
type asking struct {
	slog.Handler

	s atomic.Pointer[session.Session]
}

func (a *asking) Enabled(context.Context, slog.Level) bool { return true }

func (a *asking) Handle(ctx context.Context, record slog.Record) error {
	if s := a.s.Load(); s != nil {
		_, _, _, _ = s.State(), s.Rooms(), s.Stats(), s.Capabilities()
	}
	return a.Handler.Handle(ctx, record)
}

func (a *asking) WithAttrs([]slog.Attr) slog.Handler { return a }

func TestTheLoggerMayAskTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		handler := &asking{Handler: slog.DiscardHandler}
		n := start(t, &script{})
		s := n.session(t, session.WithLogger(slog.New(handler)))
		handler.s.Store(s)
		connect(t, s)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Error(err)
		}
		restart(t, n, s)
		_ = s.Close()
		<-s.Done()
		if err := s.Connect(t.Context()); !errors.Is(err, session.ErrClosed) || !strings.Contains(err.Error(), "connect to ") {
			t.Errorf("Connect after Done: %v", err)
		}
		if got := s.Capabilities(); got != (session.Capabilities{}) {
			t.Errorf("capabilities without a stream: %+v", got)
		}
	})
}

func TestWhatGRPCSaysOfItsOptionsIsHandedOn(t *testing.T) {
	t.Parallel()
	_, err := session.Dial("localhost:1", session.WithUser("u"), session.WithDialOptions(grpc.WithDefaultServiceConfig("{")))
	if err == nil || !strings.HasPrefix(err.Error(), `session.Dial: target "localhost:1": `) {
		t.Errorf("%v", err)
	}
}
