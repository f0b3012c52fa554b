package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func failure(t *testing.T, pending *runtime.Pending, code codes.Code, says string, is ...error) {
	t.Helper()
	_, done, err := pending.Result()
	if !done || status.Code(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("%v; want %s and %q", err, code, says)
	}
	for _, target := range is {
		if !errors.Is(err, target) {
			t.Errorf("%v\nis no: %v", err, target)
		}
	}
}

const unknownBefore = "a send before it in the room was given up, and nobody knows whether it was delivered"

func TestASendThatIsGivenUpOnALiveStreamHoldsNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		s := start(t, srv).connected(t)
		ctx, cancel := context.WithCancel(t.Context())
		sent := append(sendAll(ctx, s, "r: 1"), sendAll(t.Context(), s, "r: 2", "q: 3")...)
		cancel()
		verdicts(t, "given up", sent, "maybe", "waits", "waits")
		failure(t, sent[0], codes.Canceled, "may have been delivered", context.Canceled)
		sent = append(sent, sendAll(t.Context(), s, "r: 4")...)
		p := srv.peer(t, 1)
		arrived(t, p, "r1 after 0: 1", "r2 after 1: 2", "q1 after 0: 3", "r3 after 2: 4")
		p.decide(t)
		verdicts(t, "decided", sent, "maybe", "appended", "appended", "appended")
	})
}

func TestAGivenUpSendIsNamedAsPredecessorUntilItIsDecided(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		s := start(t, srv).connected(t, session.WithOutbox(2, 1<<20))
		ctx, cancel := context.WithCancel(t.Context())
		sendAll(ctx, s, "r: 1")
		cancel()
		sent := sendAll(t.Context(), s, "r: 2")
		arrived(t, srv.peer(t, 1), "r1 after 0: 1", "r2 after 1: 2")
		full, cancelFull := context.WithTimeout(t.Context(), time.Second)
		defer cancelFull()
		if _, err := s.SendRaw(full, "r", 1000, nil); !errors.Is(err, session.ErrNotDelivered) || !strings.Contains(err.Error(), "outbox is full") {
			t.Errorf("a send that was given up has a place until it is decided: %v", err)
		}
		srv.peer(t, 1).decide(t)
		verdicts(t, "decided", sent, "appended")
		sendAll(t.Context(), s, "r: 3")
		arrived(t, srv.peer(t, 1), "r1 after 0: 1", "r2 after 1: 2", "r3 after 0: 3")
	})
}

func TestAStreamThatEndsWithAGivenUpSendUndecidedFailsWhatIsBehindItInItsRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(3)
		n := start(t, srv)
		s := n.connected(t, session.WithOutbox(6, 1<<20))
		ctx, cancel := context.WithCancel(t.Context())
		before := sendAll(t.Context(), s, "r: before")
		given := sendAll(ctx, s, "r: 1")
		behind := sendAll(t.Context(), s, "r: written", "q: other room")
		cancel()
		synctest.Wait()
		away(t, n, s)
		verdicts(t, "given up", given, "maybe")
		verdicts(t, "behind it", behind, "maybe", "waits")
		failure(t, behind[0], codes.Aborted, unknownBefore)
		newer := sendAll(t.Context(), s, "r: newer")
		back(t, n, s)
		arrived(t, srv.peer(t, 2), "r1 after 0: before", "q1 after 0: other room", "r4 after 1: newer")
		srv.peer(t, 2).decide(t)
		verdicts(t, "on the next stream", append(append(before, behind[1]), newer...), "appended", "appended", "appended")
	})
}

func TestWhatNoStreamHasIsCertainlyNotDeliveredBehindAGivenUpSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(3)
		n := start(t, srv)
		s := n.connected(t, session.WithOutbox(4, 1<<20))
		ctx, cancel := context.WithCancel(t.Context())
		first := sendAll(ctx, s, "r: 1")
		sent := sendAll(t.Context(), s, "r: written")
		away(t, n, s)
		sent = append(sent, sendAll(t.Context(), s, "r: queued", "q: other room")...)
		waiting := make([]*runtime.Pending, 2)
		for i, room := range []string{"r", "q"} { // for a place
			go func() { waiting[i] = s.SendAsync(t.Context(), &runtime.Outgoing{RoomID: room, Type: 1000}) }()
			synctest.Wait()
		}
		cancel()
		verdicts(t, "given up between streams", first, "maybe")
		failure(t, first[0], codes.Canceled, "there was no stream, the session is reconnecting", context.Canceled)
		verdicts(t, "behind it", sent, "maybe", "not", "waits")
		failure(t, sent[0], codes.Aborted, unknownBefore)
		failure(t, sent[1], codes.Aborted, unknownBefore)
		verdicts(t, "behind it, without a place", waiting, "not", "waits")
		back(t, n, s)
		arrived(t, srv.peer(t, 2), "q1 after 0: other room", "q2 after 1: ")
		srv.peer(t, 2).decide(t)
		verdicts(t, "in the other room", append(sent[2:], waiting[1]), "appended", "appended")
	})
}

func TestASendThatIsGivenUpBeforeAStreamHadItFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2)
		n := start(t, srv)
		s := n.connected(t)
		away(t, n, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		sent := append(sendAll(ctx, s, "r: 1"), sendAll(t.Context(), s, "r: 2")...)
		time.Sleep(2 * time.Second)
		verdicts(t, "given up", sent, "not", "waits")
		failure(t, sent[0], codes.DeadlineExceeded, "there was no stream", context.DeadlineExceeded)
		back(t, n, s)
		verdicts(t, "in the end", sent, "not", "appended")
		arrived(t, srv.peer(t, 2), "r1 after 0: 2")
	})
}

func TestCloseFailsEverySendAndSaysWhatIsKnownOfIt(t *testing.T) {
	t.Parallel()
	for name, reconnecting := range map[string]bool{"while connected": false, "while reconnecting": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := muteUntil(100)
				serve := srv.stream
				srv.stream = func(p *peer) error {
					err := serve(p)
					<-p.Context().Done() // it does not end the stream when the client has ended its half
					return err
				}
				n := start(t, srv)
				s := n.connected(t, session.WithOutbox(3, 1<<20))
				sent := sendAll(t.Context(), s, "r: 1", "q: 2")
				if reconnecting {
					away(t, n, s)
				}
				sent = append(sent, sendAll(t.Context(), s, "r: 3")...)
				waiting := make(chan error, 1)
				began := time.Now()
				go func() {
					_, err := s.SendRaw(t.Context(), "r", 1000, nil)
					if took := time.Since(began); took > 0 {
						t.Errorf("one that waits for a place failed after %s", took)
					}
					waiting <- err
				}()
				synctest.Wait()
				_ = s.Close()
				<-s.Done()
				if took := time.Since(began); took >= time.Second {
					t.Errorf("Close took %s", took)
				}
				third := "maybe"
				if reconnecting {
					third = "not"
				}
				verdicts(t, "closed", sent, "maybe", "maybe", third)
				failure(t, sent[0], codes.Unavailable, "the session is closed", session.ErrClosed)
				if reconnecting {
					failure(t, sent[2], codes.Canceled, "the session is closed", session.ErrClosed)
				}
				if err := <-waiting; !errors.Is(err, session.ErrNotDelivered) || !errors.Is(err, session.ErrClosed) {
					t.Errorf("one that waits for a place: %v", err)
				}
				verdicts(t, "after that", sendAll(t.Context(), s, "r: 4"), "not")
			})
		})
	}
}

func TestWhatTheStreamHasMayGetItsReceiptWhileTheSessionCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		srv.stream = func(p *peer) error {
			err := p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) { return m.GetType() >= 1000, nil })
			time.Sleep(100 * time.Millisecond) // the client has half-closed the stream
			p.decide(t)
			return err
		}
		s := start(t, srv).connected(t)
		sent := sendAll(t.Context(), s, "r: 1")
		_ = s.Close()
		verdicts(t, "closed", sent, "appended")
	})
}

func TestTriesThatAreUsedUpFailEverySend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, muteUntil(2))
		s := n.connected(t, session.WithReconnect(session.Reconnect{Attempts: 3}))
		sent := sendAll(t.Context(), s, "r: 1")
		away(t, n, s)
		sent = append(sent, sendAll(t.Context(), s, "r: 2")...)
		<-s.Done()
		verdicts(t, "closed", sent, "maybe", "not")
		for _, pending := range sent {
			failure(t, pending, status.Code(pendingErr(pending)), "gave up after 3 tries", session.ErrClosed)
		}
	})
}

func pendingErr(pending *runtime.Pending) error {
	_, _, err := pending.Result()
	return err
}

func window(d time.Duration) func(p *peer, w *imsdkv1.Welcome) {
	return func(_ *peer, w *imsdkv1.Welcome) { w.DedupeWindow = durationpb.New(d) }
}

func TestASendIsGivenUpBeforeTheServerCouldTakeARepeatForNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2, window(100*time.Second))
		n := start(t, srv)
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "r: 1")
		time.Sleep(20 * time.Second)
		sent = append(sent, sendAll(t.Context(), s, "q: 2")...)
		time.Sleep(20 * time.Second)
		away(t, n, s)
		sent = append(sent, sendAll(t.Context(), s, "r: 3", "q: 4")...)
		time.Sleep(50*time.Second - time.Millisecond)
		verdicts(t, "89.999 s after the first", sent, "waits", "waits", "waits", "waits")
		time.Sleep(2 * time.Millisecond)
		verdicts(t, "90.001 s after the first", sent, "maybe", "waits", "not", "waits")
		failure(t, sent[0], codes.Unavailable, "would not recognise a repeat")
		failure(t, sent[2], codes.Aborted, unknownBefore)
		time.Sleep(20 * time.Second)
		verdicts(t, "90 s after the second", sent, "maybe", "maybe", "not", "not")
		back(t, n, s)
		verdicts(t, "a new one", sendAll(t.Context(), s, "r: 5"), "appended")
	})
}

func TestTheNextServerMayRememberForAShorterTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(2, func(p *peer, w *imsdkv1.Welcome) {
			w.DedupeWindow = durationpb.New(100 * time.Second / time.Duration(p.number))
		})
		n := start(t, srv)
		s := n.connected(t, session.WithReconnect(session.Reconnect{
			Max: time.Minute, Wait: func(int, error) time.Duration { return 40 * time.Second },
		}))
		sent := sendAll(t.Context(), s, "r: 1")
		time.Sleep(10 * time.Second)
		sent = append(sent, sendAll(t.Context(), s, "q: 2")...)
		away(t, n, s)
		back(t, n, s)
		verdicts(t, "50 s after the first", sent, "maybe", "appended")
		failure(t, sent[0], codes.Unavailable, "would not recognise a repeat")
	})
}

func TestASendThatComesBackInTimeMayTakeAsLongAsItLikes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := muteUntil(3, window(100*time.Second))
		n := start(t, srv)
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "r: 1")
		time.Sleep(10 * time.Minute) // on a live stream there is no limit
		verdicts(t, "on the first stream", sent, "waits")
		srv.peer(t, 1).decide(t)
		sent = sendAll(t.Context(), s, "r: 2")
		time.Sleep(50 * time.Second)
		away(t, n, s)
		back(t, n, s)
		time.Sleep(10 * time.Minute)
		verdicts(t, "on the second stream", sent, "waits")
		arrived(t, srv.peer(t, 2), "r2 after 0: 2")
		srv.peer(t, 2).decide(t)
		verdicts(t, "decided", sent, "appended")
	})
}

func TestTheTimeThatAMachineSleepsCountsForARepeat(t *testing.T) {
	t.Parallel()
	for name, asleep := range map[string]time.Duration{"a sleep": 95 * time.Second, "a clock that is set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := start(t, muteUntil(2, window(100*time.Second)))
				s := n.connected(t)
				sent := sendAll(t.Context(), s, "r: 1")
				away(t, n, s)
				session.SetWallClock(s, func() time.Time { return time.Now().Round(0).Add(asleep) })
				if asleep > 0 {
					back(t, n, s)
				} else {
					time.Sleep(91 * time.Second)
				}
				verdicts(t, "after it", sent, "maybe")
				failure(t, sent[0], codes.Unavailable, "would not recognise a repeat")
			})
		})
	}
}
