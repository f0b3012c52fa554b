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

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// muteUntil gives receipts from the stream of that number on; before, only a test does.
func muteUntil(number int, changes ...func(p *peer, w *imsdkv1.Welcome)) *script {
	return &script{stream: func(p *peer) error {
		w := welcome()
		for _, change := range changes {
			change(p, w)
		}
		return p.serve(w, func(m *imv1.MessageRequest) (bool, error) {
			return m.GetType() >= 1000 && p.number < number, nil
		})
	}}
}

// logs names the log of room "r", stream by stream; the last one stays.
func logs(epochs ...uint64) func(p *peer, w *imsdkv1.Welcome) {
	return func(p *peer, w *imsdkv1.Welcome) {
		w.Rooms = append(w.Rooms, &imsdkv1.RoomState{RoomId: "r", Epoch: epochs[min(p.number, len(epochs))-1]})
	}
}

// sends are the messages that came, as "r1 after 0: content", with the epoch if there is one.
func (p *peer) sends() []string {
	var found []string
	for _, m := range p.all(0) {
		if m.GetType() < 1000 {
			continue
		}
		line := fmt.Sprintf("%s%d after %d: %s", m.GetRoomId(), m.GetSendNumber(), m.GetPrevSendNumber(), m.GetContent())
		if m.GetEpoch() != 0 {
			line += fmt.Sprintf(" of log %d", m.GetEpoch())
		}
		found = append(found, line)
	}
	return found
}

// decide gives receipts for all that came.
func (p *peer) decide(t *testing.T) {
	t.Helper()
	for _, m := range p.all(0) {
		if m.GetType() < 1000 {
			continue
		}
		if err := p.receipt(&imsdkv1.Receipt{
			MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), SendNumber: m.GetSendNumber(), Seq: 100 + m.GetSendNumber(), Epoch: 7,
		}); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

// sendAll sends "room: content" messages asynchronously, one after the other.
func sendAll(ctx context.Context, s *session.Session, lines ...string) []*runtime.Pending {
	var sent []*runtime.Pending
	for _, line := range lines {
		room, content, _ := strings.Cut(line, ": ")
		sent = append(sent, s.SendAsync(ctx, &runtime.Outgoing{RoomID: room, Type: 1000, Raw: []byte(content)}))
	}
	synctest.Wait()
	return sent
}

// verdict says in a word what became of a send.
func verdict(pending *runtime.Pending) string {
	receipt, done, err := pending.Result()
	switch maybe, not := errors.Is(err, session.ErrMaybeDelivered), errors.Is(err, session.ErrNotDelivered); {
	case !done:
		return "waits"
	case maybe && not:
		return "both"
	case maybe:
		return "maybe"
	case not:
		return "not"
	case err != nil:
		return status.Code(err).String()
	case receipt.Appended:
		return "appended"
	default:
		return "sent"
	}
}

func verdicts(t *testing.T, what string, sent []*runtime.Pending, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for _, pending := range sent {
		got = append(got, verdict(pending))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
		for i, pending := range sent {
			_, _, err := pending.Result()
			t.Logf("%d: %v", i, err)
		}
	}
}

func arrived(t *testing.T, p *peer, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := p.sends(); !slices.Equal(got, want) {
		t.Errorf("stream %d got %q, want %q", p.number, got, want)
	}
}

// away takes the server away and waits until the session knows it.
func away(t *testing.T, n *network, s *session.Session) {
	t.Helper()
	n.down()
	if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// back brings the server back and waits until the session is.
func back(t *testing.T, n *network, s *session.Session) {
	t.Helper()
	n.up()
	if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

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
		arrived(t, p, "r1 after 0: 0", "r2 after 1: 1")
		cancel()
		err := <-results[3]
		if !errors.Is(err, session.ErrNotDelivered) || !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled ||
			!strings.Contains(err.Error(), "the outbox is full") {
			t.Errorf("a context that ends: %v", err)
		}
		p.decide(t)
		arrived(t, p, "r1 after 0: 0", "r2 after 1: 1", "r3 after 0: 2", "r4 after 3: 4")
		p.decide(t)
		p.decide(t)
		arrived(t, p, "r1 after 0: 0", "r2 after 1: 1", "r3 after 0: 2", "r4 after 3: 4", "r5 after 0: 5")
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

func TestAMessageThatIsTooLargeForTheNextServerFailsAlone(t *testing.T) {
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
		sent = append(sent, sendAll(t.Context(), s, large, "r: small")...)
		back(t, n, s)
		verdicts(t, "two large ones and a small one", sent, "maybe", "InvalidArgument", "appended")
		if _, _, err := sent[0].Result(); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "the server takes 1000") {
			t.Errorf("the one that was sent before: %v", err)
		}
	})
}
