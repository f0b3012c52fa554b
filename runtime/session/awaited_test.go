package session_test

import (
	"context"
	goruntime "runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAHandlerOfAFullLaneGetsItsAnswers(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(ctx context.Context, s *session.Session, im *imv1sdk.Client) error{
		"a receipt": func(ctx context.Context, _ *session.Session, im *imv1sdk.Client) error {
			_, err := im.SendText(ctx, "room", text("an answer"))
			return err
		},
		"a joined": func(ctx context.Context, s *session.Session, _ *imv1sdk.Client) error {
			_, err := s.JoinRoom(ctx, "another")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv, push := pushing(true)
				var s *session.Session
				var im *imv1sdk.Client
				answered := make(chan error, 1)
				s, im = chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(ctx context.Context, m *imv1sdk.TextMessage) error {
					if m.ID == "0" {
						synctest.Wait() // until the lane is full and the reader waits
						ctx, cancel := context.WithTimeout(ctx, time.Minute)
						defer cancel()
						answered <- ask(ctx, s, im)
					}
					return nil
				}}, session.WithLanes(2, 8))
				for i := range 10 {
					push <- textMessage(strconv.Itoa(i), "room", "x")
				}
				if err := <-answered; err != nil {
					t.Error(err)
				}
				if srv.streams() != 1 {
					t.Error("the stream broke")
				}
			})
		})
	}
}

func TestALaneThatOverflowsEndsTheStreamWithAReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if p.number > 1 {
				return p.serve(welcome(), nil)
			}
			if err := p.greet(welcome()); err != nil {
				return err
			}
			for {
				message, err := p.Recv()
				if err != nil {
					return err
				}
				if message.GetType() != textType {
					continue
				}
				for i := range 100 { // in the place of a receipt
					_ = p.push(textMessage(strconv.Itoa(i+1), "room", "x"))
				}
			}
		}}
		var im *imv1sdk.Client
		sent, lost := make(chan error, 1), make(chan error, 1)
		_, im = chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(ctx context.Context, _ *imv1sdk.TextMessage) error {
			<-ctx.Done()
			return nil
		}}, session.WithLanes(2, 8), session.WithOnDisconnect(func(err error) {
			select {
			case lost <- err:
			default:
			}
		}))
		go func() {
			_, err := im.SendText(t.Context(), "room", text("x"))
			sent <- err
		}()
		if err := <-lost; status.Code(err) != codes.ResourceExhausted {
			t.Error("OnDisconnect:", err)
		}
		if err := <-sent; err != nil { // it is sent again
			t.Error("the send:", err)
		}
	})
}

func TestAHandlerThatEndsItsGoroutineEndsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			d.add("%s", m.ID)
			if m.ID == "fatal" {
				goruntime.Goexit() // as FailNow of a test does
			}
			return nil
		}}, session.WithLanes(10, 1))
		push <- textMessage("fatal", "room", "x")
		push <- textMessage("next", "room", "x")
		expect(t, "in the room", d.take, "fatal", "next")
		push <- textMessage("other", "other room", "x")
		expect(t, "in another room, by the only worker", d.take, "other")
	})
}
