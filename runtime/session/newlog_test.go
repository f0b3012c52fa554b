package session_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestARepeatNamesTheLogOfItsFirstTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(4, logs(5))
		n := start(t, srv)
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "r: 1")
		for range 2 {
			away(t, n, s)
			sent = append(sent, sendAll(t.Context(), s, "r: newer")...)
			back(t, n, s)
		}
		arrived(t, srv.peer(t, 1), "r1 after 0: 1")
		arrived(t, srv.peer(t, 2), "r1 after 0: 1 of log 5", "r2 after 1: newer")
		arrived(t, srv.peer(t, 3), "r1 after 0: 1 of log 5", "r2 after 1: newer of log 5", "r3 after 2: newer")
		srv.peer(t, 3).decide(t)
		verdicts(t, "decided", sent, "appended", "appended", "appended")
	})
}

func TestASendWhoseLogIsGoneIsNotSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2, logs(5, 6))
		n := start(t, srv)
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "r: 1", "r: 2", "q: 3")
		away(t, n, s)
		sent = append(sent, sendAll(t.Context(), s, "r: queued")...)
		back(t, n, s)
		verdicts(t, "with another log", sent, "maybe", "maybe", "appended", "not")
		failure(t, sent[0], codes.DataLoss, "the room's log is another one")
		failure(t, sent[1], codes.Aborted, unknownBefore)
		failure(t, sent[3], codes.Aborted, unknownBefore)
		arrived(t, srv.peer(t, 2), "q1 after 0: 3")
		verdicts(t, "a newer one", sendAll(t.Context(), s, "r: newer"), "appended")
	})
}

func TestASendWhoseLogIsGoneIsSentAgainWhereTheUserWantsThat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(4, logs(5, 6, 6))
		n := start(t, srv)
		s := n.connected(t, session.WithResendToNewLog())
		sent := sendAll(t.Context(), s, "r: 1", "r: 2")
		for range 2 {
			away(t, n, s)
			back(t, n, s)
		}
		arrived(t, srv.peer(t, 2), "r1 after 0: 1", "r2 after 1: 2")
		arrived(t, srv.peer(t, 3), "r1 after 0: 1 of log 6", "r2 after 1: 2 of log 6")
		srv.peer(t, 3).decide(t)
		verdicts(t, "decided", sent, "appended", "appended")
	})
}

// losing is a server that refuses, with DATA_LOSS, what was tried in a log before.
func losing() *script {
	return &script{stream: func(p *peer) error {
		w := welcome()
		logs(5)(p, w)
		return p.serve(w, func(m *imv1.MessageRequest) (bool, error) {
			switch {
			case m.GetType() < 1000:
				return false, nil
			case string(m.GetContent()) == "held":
				return true, nil
			case p.number == 1:
				return true, refuseLost(p, m, string(m.GetContent()) == "refused at once")
			default:
				err := refuseLost(p, m, m.GetEpoch() != 0)
				if string(m.GetContent()) == "slow" {
					time.Sleep(time.Second)
				}
				return m.GetEpoch() != 0, err
			}
		})
	}}
}

func refuseLost(p *peer, m *imv1.MessageRequest, refuse bool) error {
	if !refuse {
		return nil
	}
	return p.receipt(&imsdkv1.Receipt{
		MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), SendNumber: m.GetSendNumber(),
		Refusal: &imsdkv1.Refusal{Code: int32(codes.DataLoss), Message: "another log"},
	})
}

func TestAServerThatMissesTheLogOfARepeatLeavesItInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, losing())
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "r: 1", "r: 2")
		away(t, n, s)
		sent = append(sent, sendAll(t.Context(), s, "r: newer", "q: other room")...)
		back(t, n, s)
		// The stream has the newer one by then: the server decides it.
		verdicts(t, "refused", sent, "maybe", "maybe", "appended", "appended")
		failure(t, sent[0], codes.DataLoss, "the room's log is another one")
		verdicts(t, "a first try", sendAll(t.Context(), s, "r: 3"), "appended")
	})
}

func TestARepeatThatTheServerRefusesForItsLogIsSentAgainWhereTheUserWantsThat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := losing()
		n := start(t, srv)
		s := n.connected(t, session.WithResendToNewLog(), session.WithOutbox(2, 1<<20))
		sent := sendAll(t.Context(), s, "r: 1", "r: 2")
		away(t, n, s)
		back(t, n, s)
		verdicts(t, "sent again", sent, "appended", "appended")
		var again []string
		rising(t, srv.peer(t, 2))
		for _, m := range srv.peer(t, 2).all(1000) {
			if m.GetEpoch() == 0 {
				again = append(again, string(m.GetContent()))
			}
		}
		if !slices.Equal(again, []string{"1", "2"}) {
			t.Errorf("sent again without a log: %q", again)
		}
		seen := len(srv.peer(t, 2).all(1000))
		go func() {
			for range 3 {
				s.SendAsync(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: []byte("held")})
			}
		}()
		synctest.Wait()
		if got := len(srv.peer(t, 2).all(1000)) - seen; got != 2 {
			t.Errorf("the outbox of two lets %d messages pass", got)
		}
	})
}

func TestAFirstTryThatIsRefusedForItsLogIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, losing()).connected(t, session.WithResendToNewLog())
		sent := sendAll(t.Context(), s, "r: refused at once")
		verdicts(t, "refused", sent, "DataLoss")
		failure(t, sent[0], codes.DataLoss, "the server refused it: another log")
	})
}

// rising checks the numbers of what came, all in one room.
func rising(t *testing.T, p *peer) {
	t.Helper()
	last := uint64(0)
	for _, m := range p.all(1000) {
		if m.GetSendNumber() <= last {
			t.Errorf("number %d came after %d", m.GetSendNumber(), last)
		}
		last = m.GetSendNumber()
	}
}

func TestNumbersRiseWhateverIsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := losing()
		n := start(t, srv)
		s := n.connected(t, session.WithResendToNewLog())
		// The server refuses the first one before it reads the second; the third waits for that, the fourth for the third.
		sent := sendAll(t.Context(), s, "r: slow", "r: "+strings.Repeat("x", 1<<20), "r: 3", "r: 4")
		away(t, n, s)
		back(t, n, s)
		time.Sleep(time.Minute)
		verdicts(t, "sent again", sent, "appended", "appended", "appended", "appended")
		rising(t, srv.peer(t, 2))
	})
}

// A room that was joined by a call, because the header was late, has a log without a name. A send to it could not be told from a
// new one after the stream.
func TestASendToARoomThatWasJoinedBeforeALateHeaderIsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(3, func(p *peer, w *imsdkv1.Welcome) {
			w.Capabilities = append(w.Capabilities, imsdkv1.Capability_CAPABILITY_RESUME)
			if p.number == 1 {
				time.Sleep(3 * time.Second) // longer than the handshake wait
			} else {
				w.Rooms = append(w.Rooms, &imsdkv1.RoomState{RoomId: "r", Epoch: 5})
			}
		})
		n := start(t, srv)
		s := n.connected(t)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		sent := sendAll(t.Context(), s, "r: 1")
		away(t, n, s)
		back(t, n, s)
		verdicts(t, "on a stream that decides", sent, "appended")
	})
}
