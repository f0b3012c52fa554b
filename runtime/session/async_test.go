package session_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	goruntime "runtime"
	"strconv"
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

// passing is an interceptor that does nothing but take its time.
func passing(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
	goruntime.Gosched()
	return next(ctx, out)
}

func TestAsynchronousSendsGoOutInTheOrderOfTheirCalls(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]session.Option{
		"plain": nil, "with interceptors": {session.WithSendInterceptors(passing, passing)},
		"in a small outbox": {session.WithOutbox(3, 1<<20)}, "with a limit": {session.WithSendLimit(100, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{}
				s, client := chat(t, start(t, srv), imv1sdk.Handlers{}, opts...)
				var sent []*runtime.Pending
				for i := range 200 {
					sent = append(sent, client.SendTextAsync(t.Context(), "r", text(strconv.Itoa(i))))
				}
				for i, pending := range sent {
					if receipt, err := pending.Wait(t.Context()); err != nil || receipt.Seq != uint64(41+i) {
						t.Fatalf("send %d: %+v, %v", i, receipt, err)
					}
				}
				for i, m := range srv.peer(t, 1).all(textType) {
					if string(m.GetContent()) != strconv.Itoa(i) {
						t.Fatalf("message %d is %q", i, m.GetContent())
					}
				}
				synctest.Wait() // the receipt may be faster than the count
				if stats := s.Stats(); stats.Sent != 200 || stats.AsyncFailed != 0 {
					t.Errorf("stats: %+v", stats)
				}
			})
		})
	}
}

func TestTheContextOfAnAsynchronousSendBoundsTheSendNotTheCall(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]session.Option{"plain": nil, "with an interceptor": {session.WithSendInterceptors(passing)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, muteUntil(2)).connected(t, opts...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				sent := sendAll(ctx, s, "r: 1")
				time.Sleep(time.Minute - time.Millisecond)
				verdicts(t, "before the deadline", sent, "waits")
				time.Sleep(2 * time.Millisecond)
				verdicts(t, "after the deadline", sent, "maybe")
				failure(t, sent[0], codes.DeadlineExceeded, "may have been delivered", context.DeadlineExceeded)
				verdicts(t, "with a context that has ended", sendAll(ctx, s, "r: 2"), "not")
			})
		})
	}
}

func TestAnAsynchronousSendKeepsWhatIsWrongAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		s, client := chat(t, start(t, &script{}), imv1sdk.Handlers{}, session.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
		for want, pending := range map[string]*runtime.Pending{
			"the message is nil":       s.SendAsync(t.Context(), nil),
			"invalid content: text":    client.SendTextAsync(t.Context(), "r", text("")),
			"room_id: is empty":        client.SendTextAsync(t.Context(), "", text("x")),
			"the server takes 4194304": s.SendAsync(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: make([]byte, 4<<20)}),
		} {
			if _, err := pending.Wait(t.Context()); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		if got := s.Stats().AsyncFailed; got != 4 || strings.Count(logged.String(), "level=WARN msg=\"an asynchronous send failed\"") != 4 {
			t.Errorf("%d are counted; logged:\n%s", got, &logged)
		}
		_ = s.Close()
		verdicts(t, "closed", sendAll(t.Context(), s, "r: x"), "not")
	})
}

func TestAnInterceptorThatDoesNotReturnLosesNoResult(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sends bool
		end   func()
		want  string
		says  string
	}{
		"a panic before the send": {false, func() { panic("oops") }, "not", "a send interceptor panicked: oops"},  //nolint:forbidigo // that is it
		"a panic after the send":  {true, func() { panic("oops") }, "maybe", "a send interceptor panicked: oops"}, //nolint:forbidigo // that is it
		"an end before the send":  {false, goruntime.Goexit, "not", "a send interceptor ended its goroutine"},
		"an end after the send":   {true, goruntime.Goexit, "maybe", "a send interceptor ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, &script{}).connected(t, session.WithSendInterceptors(
					func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
						if test.sends {
							_, _ = next(ctx, out)
						}
						test.end()
						return next(ctx, out)
					}))
				sent := sendAll(t.Context(), s, "r: 1")
				verdicts(t, name, sent, test.want)
				failure(t, sent[0], codes.Internal, test.says)
			})
		})
	}
}

func TestAnInterceptorMayKeepOrRepeatAnAsynchronousSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		veto := errors.New("veto")
		srv := &script{}
		s := start(t, srv).connected(t, session.WithSendInterceptors(
			func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
				switch string(out.Raw) {
				case "veto":
					return nil, veto
				case "twice":
					if _, err := next(ctx, out); err != nil {
						return nil, err
					}
					out.ID = "second"
				}
				return next(ctx, out)
			}))
		sent := sendAll(t.Context(), s, "r: veto", "r: twice", "r: once")
		if _, err := sent[0].Wait(t.Context()); !errors.Is(err, veto) {
			t.Errorf("a veto: %v", err)
		}
		if receipt, err := sent[1].Wait(t.Context()); err != nil || receipt.MessageID != "second" {
			t.Errorf("twice: %+v, %v", receipt, err)
		}
		if got := len(srv.peer(t, 1).all(1000)); got != 3 {
			t.Errorf("the server got %d messages", got)
		}
	})
}

func TestCloseEndsAnAsynchronousSendThatWaitsForAPlace(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]session.Option{"plain": nil, "with an interceptor": {session.WithSendInterceptors(passing)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, muteUntil(2)).connected(t, append(opts, session.WithOutbox(1, 1<<20))...)
				first := sendAll(t.Context(), s, "r: 1")
				returned := make(chan *runtime.Pending, 1)
				go func() { returned <- s.SendAsync(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000}) }()
				synctest.Wait()
				select {
				case <-returned:
					t.Error("it did not wait for a place")
				default:
				}
				_ = s.Close()
				verdicts(t, "closed", append(first, <-returned), "maybe", "not")
			})
		})
	}
}

func TestAHandlerOfAFullLaneGetsTheReceiptOfItsAsynchronousSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		var im *imv1sdk.Client
		answered := make(chan error, 1)
		_, im = chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(ctx context.Context, m *imv1sdk.TextMessage) error {
			if m.ID == "0" {
				synctest.Wait() // until the lane is full and the reader waits
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				_, err := im.SendTextAsync(ctx, "room", text("an answer")).Wait(ctx)
				answered <- err
			}
			return nil
		}}, session.WithLanes(2, 8))
		for i := range 10 {
			push <- textMessage(strconv.Itoa(i), "room", "x")
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
	})
}

func TestNoResultIsLostWhileStreamsBreakAndCallersGiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			count := 0
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() < 1000 {
					return false, nil
				}
				if count++; count == 40 {
					return true, status.Error(codes.Unavailable, "again")
				}
				return count%3 == 0, nil // without a receipt
			})
		}}
		s := start(t, srv).connected(t, session.WithOutbox(16, 1<<20))
		var all sync.WaitGroup
		for sender := range 8 {
			all.Go(func() {
				for i := range 50 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%7)*time.Second)
					pending := s.SendAsync(ctx, &runtime.Outgoing{RoomID: strconv.Itoa(sender % 3), Type: 1000})
					receipt, err := pending.Wait(t.Context())
					maybe, not := errors.Is(err, session.ErrMaybeDelivered), errors.Is(err, session.ErrNotDelivered)
					if (err == nil) != (receipt != nil) || err != nil && maybe == not {
						t.Errorf("%+v, %v", receipt, err)
					}
					cancel()
				}
			})
		}
		all.Wait()
	})
}
