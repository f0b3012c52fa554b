package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestWhatAStreamLeavesUndecidedGoesOutAgainInOrderBeforeWhatIsNewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(4)
		n := start(t, srv)
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "a: 1", "b: 2", "a: 3", "a: 4")
		arrived(t, srv.peer(t, 1), "a1 after 0: 1", "b1 after 0: 2", "a2 after 1: 3", "a3 after 2: 4")
		first := srv.peer(t, 1).all(1000)[2]
		if err := srv.peer(t, 1).receipt(&imsdkv1.Receipt{MessageId: first.GetMessageId(), RoomId: "a", SendNumber: 2, Seq: 9}); err != nil {
			t.Fatal(err)
		}
		verdicts(t, "on the first stream", sent, "waits", "waits", "appended", "waits")
		for stream := 2; stream <= 3; stream++ {
			away(t, n, s)
			sent = append(sent, sendAll(t.Context(), s, "b: newer")...)
			back(t, n, s)
		}
		arrived(t, srv.peer(t, 2), "a1 after 0: 1", "b1 after 0: 2", "a3 after 1: 4", "b2 after 1: newer")
		arrived(t, srv.peer(t, 3), "a1 after 0: 1", "b1 after 0: 2", "a3 after 1: 4", "b2 after 1: newer", "b3 after 2: newer")
		if got := srv.peer(t, 2).all(1000)[0]; got.GetMessageId() != srv.peer(t, 1).all(1000)[0].GetMessageId() {
			t.Error("the message came again under another id")
		}
		srv.peer(t, 3).decide(t)
		verdicts(t, "in the end", sent, "appended", "appended", "appended", "appended", "appended", "appended")
		synctest.Wait() // the receipt may be faster than the count
		if stats := s.Stats(); stats.Sent != 6 || stats.Resent != 3+4 {
			t.Errorf("stats: %+v", stats)
		}
	})
}

func TestSendsWaitForTheFirstStreamToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		greet := make(chan struct{})
		srv := &script{stream: func(p *peer) error {
			<-greet
			return p.serve(welcome(), nil)
		}}
		s := start(t, srv).session(t)
		connected := make(chan error, 1)
		go func() { connected <- s.Connect(t.Context()) }()
		synctest.Wait()
		sent := sendAll(t.Context(), s, "r: 1", "r: 2")
		verdicts(t, "while it connects", sent, "waits", "waits")
		close(greet)
		if err := <-connected; err != nil {
			t.Fatal(err)
		}
		verdicts(t, "connected", sent, "appended", "appended")
	})
}

func TestAConnectThatFailsFailsTheSendsThatWaitedForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if p.number == 1 {
				time.Sleep(time.Second / 2)
				return status.Error(codes.Unauthenticated, "who are you")
			}
			return p.serve(welcome(), nil)
		}}
		s := start(t, srv).session(t)
		if _, err := s.SendRaw(t.Context(), "r", 1000, nil); !errors.Is(err, session.ErrNotDelivered) || !errors.Is(err, session.ErrNotConnected) {
			t.Errorf("before Connect: %v", err)
		}
		go func() { _ = s.Connect(t.Context()) }()
		synctest.Wait()
		sent := sendAll(t.Context(), s, "r: 1")
		time.Sleep(time.Second)
		verdicts(t, "after Connect failed", sent, "not")
		_, err := sent[0].Wait(t.Context())
		if !errors.Is(err, session.ErrNotConnected) || !strings.Contains(err.Error(), "who are you") || status.Code(err) != codes.FailedPrecondition {
			t.Errorf("the send: %v", err)
		}
		connect(t, s)
		if _, err := s.SendRaw(t.Context(), "r", 1000, nil); err != nil {
			t.Errorf("after the next Connect: %v", err)
		}
	})
}

func TestAFullOutboxMakesSendsWaitInTheOrderOfTheirCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		n := start(t, srv)
		s := n.connected(t, session.WithOutbox(2, 1<<20))
		results := make([]chan error, 6)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range results {
			results[i] = make(chan error, 1)
			go func() {
				of := t.Context()
				if i == 3 {
					of = ctx
				}
				_, err := s.SendRaw(of, "r", 1000, fmt.Append(nil, i))
				results[i] <- err
			}()
			synctest.Wait()
		}
		p := srv.peer(t, 1)
		contents := func(want string) {
			t.Helper()
			var all []byte
			for _, m := range p.all(1000) {
				all = append(all, m.GetContent()...)
			}
			if got := string(all); got != want {
				t.Errorf("%s have come, want %s", got, want)
			}
		}
		arrived(t, p, "r1 after 0: 0", "r2 after 1: 1")
		cancel()
		err := <-results[3]
		if !errors.Is(err, session.ErrNotDelivered) || !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled ||
			!strings.Contains(err.Error(), "the outbox is full") {
			t.Errorf("a context that ends: %v", err)
		}
		p.decide(t)
		contents("0124")
		p.decide(t)
		p.decide(t)
		contents("01245")
		for _, i := range []int{0, 1, 2, 4, 5} {
			if err := <-results[i]; err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		}
	})
}

func TestTheOutboxIsBoundedInBytesButForOneMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		s := start(t, srv).connected(t, session.WithOutbox(100, 1000))
		large := strings.Repeat("x", 5000)
		var sent []*runtime.Pending
		for _, line := range []string{strings.Repeat("x", 400), strings.Repeat("y", 400), large, "z"} {
			go func() {
				pending := s.SendAsync(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: []byte(line)})
				sent = append(sent, pending) // each waits for the one before it
			}()
			synctest.Wait()
		}
		p := srv.peer(t, 1)
		for i, want := range []int{2, 3, 4} { // the large one fits only alone, and the small one waits behind it
			if got := len(p.all(1000)); got != want {
				t.Errorf("step %d: %d have come, want %d", i, got, want)
			}
			p.decide(t)
		}
		verdicts(t, "in the end", sent, "appended", "appended", "appended", "appended")
	})
}

func TestTheBytesOfASendThatWasGivenUpAreFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		s := start(t, srv).connected(t, session.WithOutbox(100, 1000))
		large := "r: " + strings.Repeat("x", 600)
		ctx, cancel := context.WithCancel(t.Context())
		sendAll(ctx, s, large)
		cancel()
		sent := sendAll(t.Context(), s, large)
		p := srv.peer(t, 1)
		if got := len(p.all(1000)); got != 2 {
			t.Fatalf("%d have come", got)
		}
		p.decide(t)
		verdicts(t, "the second one", sent, "appended")
		go func() {
			for range 2 {
				s.SendAsync(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: []byte(large)})
			}
		}()
		synctest.Wait()
		if got := len(p.all(1000)); got != 3 {
			t.Errorf("%d have come, the last one should wait", got)
		}
	})
}

func TestWhatAStreamDidNotTakeIsCertainlyNotDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if p.number > 1 { // a server of today
				if err := p.SendHeader(nil); err != nil {
					return err
				}
				return p.serve(nil, nil)
			}
			if err := p.greet(welcome()); err != nil {
				return err
			}
			<-p.Context().Done() // it never reads
			return nil
		}}
		n := start(t, srv)
		s := n.connected(t)
		var sent []*runtime.Pending
		for range 8 {
			sent = append(sent, sendAll(t.Context(), s, "r: "+strings.Repeat("x", 1<<19))...)
		}
		taken := int(s.Stats().Sent)
		if taken == 0 || taken >= 7 {
			t.Fatalf("the stream took %d", taken)
		}
		away(t, n, s)
		back(t, n, s)
		want := slices.Repeat([]string{"maybe"}, taken)
		want = append(want, slices.Repeat([]string{"sent"}, len(sent)-taken)...)
		verdicts(t, "on the next stream", sent, want...)
	})
}

func TestAnOutboxThatDoesNotWaitFailsAtOnceWhenItIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		s := start(t, srv).connected(t, session.WithOutbox(1, 1<<20), session.WithOutboxNoWait())
		sent := sendAll(t.Context(), s, "r: 1", "r: 2")
		verdicts(t, "two sends", sent, "waits", "ResourceExhausted")
		if _, err := s.SendRaw(t.Context(), "r", 1000, nil); !errors.Is(err, session.ErrOutboxFull) ||
			errors.Is(err, session.ErrMaybeDelivered) || status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a send: %v", err)
		}
		srv.peer(t, 1).decide(t)
		verdicts(t, "with room again", sendAll(t.Context(), s, "r: 3"), "waits")
		arrived(t, srv.peer(t, 1), "r1 after 0: 1", "r2 after 0: 3")
	})
}

func TestABadOutboxIsRefused(t *testing.T) {
	t.Parallel()
	for _, opt := range []session.Option{session.WithOutbox(0, 1), session.WithOutbox(1, 0), session.WithOutbox(-1, -1)} {
		if _, err := session.Dial("host:1", session.WithUser("u"), opt); err == nil || !strings.Contains(err.Error(), "WithOutbox") {
			t.Errorf("Dial: %v", err)
		}
	}
}

func TestAMessageThatIsTooLargeForTheNextServerIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2, func(p *peer, w *imsdkv1.Welcome) {
			if p.number > 1 {
				w.Limits = &imsdkv1.Limits{MaxMessageBytes: 1000}
			}
		})
		n := start(t, srv)
		s := n.connected(t)
		large := "r: " + strings.Repeat("x", 1000)
		sent := sendAll(t.Context(), s, large)
		away(t, n, s)
		sent = append(sent, sendAll(t.Context(), s, "r: small", "q"+large[1:], "q: small")...)
		back(t, n, s)
		verdicts(t, "one that was sent before, what is behind it, one that was not sent before, what is behind it", sent,
			"maybe", "not", "InvalidArgument", "appended")
		if _, _, err := sent[0].Result(); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "the server takes 1000") {
			t.Errorf("the one that was sent before: %v", err)
		}
	})
}
