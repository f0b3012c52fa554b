package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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
