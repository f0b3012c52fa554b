package session_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// silent gives no receipts until a test does.
func silent() *script {
	return &script{stream: func(p *peer) error {
		return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) { return m.GetType() >= 1000, nil })
	}}
}

func TestAnInterceptorMayChangeAMessageAndTryItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := silent()
		again := func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := next(short, out); !errors.Is(err, session.ErrMaybeDelivered) {
				t.Errorf("first try: %v", err)
			}
			out.ID, out.RoomID = "second", "elsewhere"
			return next(ctx, out)
		}
		s := start(t, srv).connected(t, session.WithSendInterceptors(again))
		send := func(room string) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := s.SendRaw(context.Background(), room, 1000, nil)
				done <- err
			}()
			time.Sleep(2 * time.Second)
			return done
		}
		first := send("r")
		p := srv.peer(t, 1)
		for _, m := range p.all(1000) {
			if err := p.receipt(&imsdkv1.Receipt{
				MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), SendNumber: m.GetSendNumber(), Seq: 1,
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-first; err != nil {
			t.Errorf("second try: %v", err)
		}
		second := send("r")
		if sent := p.all(1000); len(sent) != 4 || sent[2].GetPrevSendNumber() != 0 {
			t.Errorf("the first try's receipt did not find it: %v", sent)
		}
		_ = s.Close()
		if err := <-second; !errors.Is(err, session.ErrMaybeDelivered) || !errors.Is(err, session.ErrClosed) {
			t.Errorf("a send that waits for its receipt when the session closes: %v", err)
		}
	})
}

func TestASendWhoseContextHasEndedIsNotSent(t *testing.T) {
	t.Parallel()
	srv := silent()
	s := start(t, srv).connected(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 200 {
		if _, err := s.SendRaw(ended, "r", 1000, nil); errors.Is(err, session.ErrMaybeDelivered) || status.Code(err) != codes.Canceled {
			t.Fatalf("send: %v", err)
		}
	}
	if got := srv.peer(t, 1).all(1000); len(got) != 0 {
		t.Errorf("sent: %v", got)
	}
}

func TestASendThatFindsNoStreamSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		s := n.connected(t)
		n.down()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.SendRaw(ctx, "r", 1000, nil)
		const want = "there was no stream, the session is reconnecting: context deadline exceeded"
		if status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), want) {
			t.Errorf("send: %v", err)
		}
	})
}

func TestAMessageThatTheConnectionRefusesFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &script{}).connected(t,
			session.WithDialOptions(grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1000))))
		if _, err := s.SendRaw(t.Context(), "r", 1000, make([]byte, 2000)); status.Code(err) != codes.ResourceExhausted ||
			errors.Is(err, session.ErrMaybeDelivered) {
			t.Errorf("a message of 2,000 bytes: %v", err)
		}
		if _, err := s.SendRaw(t.Context(), "r", 1000, make([]byte, 200)); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

func TestSendNumbersRiseInHoweverManyRooms(t *testing.T) {
	t.Parallel()
	srv := &script{}
	s := start(t, srv).connected(t)
	for range 3 {
		for i := range 1500 {
			if _, err := s.SendRaw(t.Context(), strconv.Itoa(i), 1000, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	last := make(map[string]uint64)
	for _, m := range srv.peer(t, 1).all(1000) {
		if number := m.GetSendNumber(); number <= last[m.GetRoomId()] || m.GetPrevSendNumber() != 0 {
			t.Fatalf("room %s: number %d after %d", m.GetRoomId(), number, last[m.GetRoomId()])
		}
		last[m.GetRoomId()] = m.GetSendNumber()
	}
}
