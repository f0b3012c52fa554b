package session_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestABrokenChainIsReadAgain(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]*imv1.MessageResponse{
		"a message is missing": logged("r", 12, 13),
		"another log":          inLog(8, logged("r", 11, 12)),
		"another beginning":    inLog(8, logged("r", 0, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeper()
				d := new(diary)
				var why []error
				s, _ := chat(t, start(t, &k.script), texts(d, nil), gaps(d), session.WithRoom("r"),
					session.WithOnDisconnect(func(err error) { why = append(why, err) }))
				k.peer(t, 1).pushAll(t, logged("r", 10, 11))
				_ = k.peer(t, 1).push(next)
				_ = k.peer(t, 1).push(logged("r", 13, 14)) // behind the hole
				_ = k.peer(t, 1).push(lost(14, 20))
				second := k.following(t, 1)
				if len(why) != 1 || status.Code(why[0]) != codes.DataLoss || !strings.Contains(why[0].Error(), "messages are missing") {
					t.Errorf("OnDisconnect: %v", why)
				}
				equal(t, "the second Hello", resumed(second), "r 7/11")
				second.pushAll(t, row("r", 12, 14)...)
				equal(t, "handled", d.take(), "11", "12", "13", "14")
				if s.Stats().Gaps != 0 || k.streams() != 2 {
					t.Errorf("%+v on %d streams", s.Stats(), k.streams())
				}
			})
		})
	}
}

func TestAHoleThatNoStreamFillsIsAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), gaps(d), session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, logged("r", 10, 11))
		_ = k.peer(t, 1).push(logged("r", 14, 15))
		k.following(t, 1).pushAll(t, logged("r", 14, 15), logged("r", 15, 16))
		equal(t, "the same hole twice", d.take(), "11", "gap r 7/11-7/15 the server left messages out", "15", "16")
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, k.peer(t, 2)), "r 7/16")

		for i, at := range []uint64{20, 30, 40} { // another hole each time
			_ = k.peer(t, 2+i).push(logged("r", at, at+1))
			if i < 2 {
				time.Sleep(3 * time.Second)
			}
		}
		synctest.Wait()
		equal(t, "three streams", d.take(), "gap r 7/16-7/41 the server left messages out", "41")
		if s.Stats().Gaps != 2 || k.streams() != 4 {
			t.Errorf("%+v on %d streams", s.Stats(), k.streams())
		}
	})
}

func TestAcrossLogsARepeatIsFoundByItsSenderAndID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), gaps(d), session.WithRoom("r"))
		p := k.peer(t, 1)
		moved := inLog(8, logged("r", 0, 1))
		moved.MessageId = "m11"
		reused := inLog(8, logged("r", 1, 2))
		reused.MessageId = "m11"
		p.pushAll(t, logged("r", 10, 11), gapFrame(&imsdkv1.Gap{
			RoomId: "r", Epoch: 7, AfterSeq: 11, NextEpoch: 8, NextSeq: 1, Reason: imsdkv1.GapReason_GAP_REASON_OTHER_LOG,
		}), moved)
		equal(t, "in another log", d.take(), "11", "gap r 7/11-8/1 the log is another one")
		time.Sleep(time.Second)
		equal(t, "it moves the cursor all the same", told(t, p), "r 8/1")
		p.pushAll(t, reused)
		equal(t, "in another log, with a number that it did not have", d.take())
		again := inLog(8, logged("r", 2, 3))
		later := inLog(8, logged("r", 3, 4))
		later.MessageId = "m3"
		p.pushAll(t, again, later)
		equal(t, "an id that the same log has twice is used again", d.take(), "3", "4")
		if s.Stats().Repeats != 2 || k.streams() != 1 {
			t.Errorf("%+v on %d streams", s.Stats(), k.streams())
		}
	})
}

func TestWithoutResumeNumbersAreTakenAsTheyCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = without(imsdkv1.Capability_CAPABILITY_RESUME)
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"))
		p := k.peer(t, 1)
		p.pushAll(t, logged("r", 4, 5), logged("r", 1, 2), logged("r", 90, 99), gapFrame(&imsdkv1.Gap{RoomId: "r", NextEpoch: 1}))
		equal(t, "handled", d.take(), "5", "2", "99")
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, p))
		if caps := s.Capabilities(); caps.Resume || caps.FlowControl {
			t.Errorf("flow control without resume: %+v", caps)
		}
		equal(t, "the second Hello", resumed(k.again(t, 1)), "r 0/0")
	})
}

func TestANumberWithoutALogIsNoPosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.heads = func(*peer, string) (uint64, uint64) { return 0, 0 }
		d := new(diary)
		chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"))
		p := k.peer(t, 1)
		p.pushAll(t, inLog(0, logged("r", 4, 5)), inLog(0, logged("r", 8, 9)), inLog(0, logged("r", 8, 9)))
		equal(t, "handled", d.take(), "5", "9")
		p.pushAll(t, logged("r", 20, 21), inLog(0, logged("r", 30, 31)))
		equal(t, "the first one with a log starts there", d.take(), "21", "31")
		equal(t, "the second Hello", resumed(k.again(t, 1)), "r 7/21")
	})
}

func TestAnEnvelopeWithoutAnEpochIsOfTheLogThatWasNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		var epochs []uint64
		chat(t, start(t, &k.script), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			epochs = append(epochs, m.Epoch)
			return nil
		}}, session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, inLog(0, logged("r", 10, 11)), gapFrame(&imsdkv1.Gap{RoomId: "r", NextEpoch: 8, NextSeq: 5}),
			inLog(0, logged("r", 4, 5)))
		if !slices.Equal(epochs, []uint64{7, 8}) || k.streams() != 1 {
			t.Errorf("epochs %v on %d streams", epochs, k.streams())
		}
	})
}

func TestAGapThatTheSessionFoundIsToldOnceThoughTheLaneIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = without(imsdkv1.Capability_CAPABILITY_FLOW_CONTROL)
		d := new(diary)
		release := make(chan struct{})
		chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }), gaps(d),
			session.WithRoom("r"), session.WithLanes(1, 8))
		k.peer(t, 1).pushAll(t, logged("r", 10, 11), logged("r", 11, 12))
		_ = k.peer(t, 1).push(logged("r", 14, 15))
		k.following(t, 1).pushAll(t, goAway(0), logged("r", 14, 15)) // the reader waits, until the stream is given up
		k.following(t, 2).pushAll(t, logged("r", 14, 15))
		close(release)
		expect(t, "handled", d.take, "11", "12", "gap r 7/12-7/15 the server left messages out", "15")
		if k.streams() != 3 {
			t.Errorf("%d streams", k.streams())
		}
	})
}
