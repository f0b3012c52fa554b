package session_test

import (
	"context"
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

// lost is a gap of the room "r" that retention makes.
func lost(after, next uint64) *imv1.MessageResponse {
	return gapFrame(&imsdkv1.Gap{
		RoomId: "r", Epoch: 7, AfterSeq: after, NextEpoch: 7, NextSeq: next, Reason: imsdkv1.GapReason_GAP_REASON_RETENTION,
	})
}

func TestAGapIsToldInOrderWithTheMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		release := make(chan struct{})
		s, _ := chat(t, start(t, &k.script), texts(d, func(m *imv1sdk.TextMessage) error {
			if m.ID == "m11" {
				<-release
			}
			return nil
		}), gaps(d), session.WithRoom("r"))
		p := k.peer(t, 1)
		p.pushAll(t, logged("r", 10, 11), lost(11, 20), logged("r", 19, 21))
		equal(t, "while the handler runs", d.take(), "11")
		close(release)
		expect(t, "then", d.take, "gap r 7/11-7/20 the log no longer reaches back", "21")
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, p), "r 7/21")
		p.pushAll(t, lost(21, 30))
		equal(t, "the last one", d.take(), "gap r 7/21-7/30 the log no longer reaches back")
		time.Sleep(time.Second)
		equal(t, "a gap alone moves the cursor too", told(t, p), "r 7/21", "r 7/29")
		if stats := s.Stats(); stats.Gaps != 2 || stats.Errors != 0 || k.streams() != 1 {
			t.Errorf("%+v on %d streams", stats, k.streams())
		}
		if epoch := k.again(t, 1); epoch != nil {
			equal(t, "the next Hello", resumed(epoch), "r 7/29")
		}
	})
}

func TestAGapWithoutAHandlerIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		var reported error
		s, _ := chat(t, start(t, &k.script), imv1sdk.Handlers{}, session.WithRoom("r"),
			session.WithOnError(func(err error) { reported = err }))
		k.peer(t, 1).pushAll(t, lost(10, 20))
		want := `receive (room "r"): messages are missing between 10 and 20: the log no longer reaches back`
		if status.Code(reported) != codes.DataLoss || reported.Error() != want || s.Stats().Gaps != 1 {
			t.Errorf("OnError: %v; %+v", reported, s.Stats())
		}
	})
}

func TestAGapThatComesAgainIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		release := make(chan struct{})
		chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }), gaps(d), session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, logged("r", 10, 11), lost(11, 20), logged("r", 19, 20))
		p := k.again(t, 1)
		equal(t, "the second Hello", resumed(p), "r 7/10")
		p.pushAll(t, lost(10, 20), logged("r", 19, 20), logged("r", 20, 21))
		close(release)
		expect(t, "handled", d.take, "11", "gap r 7/11-7/20 the log no longer reaches back", "20", "21")
	})
}

func TestOnlyWhatWasNotReceivedIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		release := make(chan struct{})
		chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }), gaps(d), session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, row("r", 11, 14)...)
		p := k.again(t, 1) // from 10 on
		p.pushAll(t, lost(10, 13), logged("r", 12, 13), logged("r", 13, 14), logged("r", 14, 15))
		p = k.again(t, 2)
		p.pushAll(t, lost(10, 30), logged("r", 29, 30))
		close(release)
		expect(t, "handled", d.take, "11", "12", "13", "14", "15", "gap r 7/15-7/30 the log no longer reaches back", "30")
		if k.streams() != 3 {
			t.Errorf("%d streams", k.streams())
		}
	})
}

func TestALogThatWasCutIsAGap(t *testing.T) {
	t.Parallel()
	cut := func(after, next uint64) *imv1.MessageResponse {
		return gapFrame(&imsdkv1.Gap{
			RoomId: "r", Epoch: 7, AfterSeq: after, NextEpoch: 7, NextSeq: next, Reason: imsdkv1.GapReason_GAP_REASON_LOG_CUT,
		})
	}
	// again is a message with a number that was there before.
	again := func(seq uint64) *imv1.MessageResponse {
		m := logged("r", seq-1, seq)
		m.MessageId, m.Content = "new"+m.GetMessageId(), []byte("new "+string(m.GetContent()))
		return m
	}
	t.Run("behind the cursor", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKeeper()
			d := new(diary)
			release := make(chan struct{})
			chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"),
				session.WithOnGap(func(_ context.Context, g session.Gap) {
					d.add("gap %d-%d %s", g.AfterSeq, g.NextSeq, g.Reason)
					<-release
				}))
			k.peer(t, 1).pushAll(t, row("r", 11, 14)...)
			p := k.again(t, 1)
			p.pushAll(t, cut(14, 12), again(12))
			equal(t, "so far", d.take(), "11", "12", "13", "14", "gap 14-12 the log was cut")
			p = k.again(t, 2)
			equal(t, "the third Hello", resumed(p), "r 7/11") // 12 waits for its handler
			p.pushAll(t, again(12))
			close(release)
			p.pushAll(t, again(13))
			equal(t, "handled", d.take(), "new 12", "new 13")
			time.Sleep(time.Second)
			equal(t, "cursors", told(t, p), "r 7/13")
		})
	})
	t.Run("between the cursor and what was received", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKeeper()
			k.heads = func(p *peer, _ string) (uint64, uint64) { return 7, []uint64{0, 10, 12}[p.number] }
			d := new(diary)
			release := make(chan struct{})
			chat(t, start(t, &k.script), texts(d, func(m *imv1sdk.TextMessage) error {
				if m.ID == "m12" {
					<-release
				}
				return nil
			}), gaps(d), session.WithRoom("r"))
			k.peer(t, 1).pushAll(t, row("r", 11, 14)...)
			p := k.again(t, 1)
			equal(t, "the second Hello", resumed(p), "r 7/11")
			p.pushAll(t, logged("r", 11, 12), again(13), again(14), again(15))
			close(release)
			expect(t, "handled", d.take, "11", "12", "13", "14", "gap r 7/14-7/12 the log was cut", "new 13", "new 14", "new 15")
		})
	})
}

func TestAGapOfARoomWithoutAPlaceGivesItOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.heads = func(*peer, string) (uint64, uint64) { return 0, 0 }
		d := new(diary)
		chat(t, start(t, &k.script), texts(d, nil), gaps(d), session.WithRoom("r"))
		p := k.peer(t, 1)
		frame := gapFrame(&imsdkv1.Gap{Epoch: 6, AfterSeq: 3, NextEpoch: 7, Reason: 99})
		frame.RoomId = "r" // in the envelope only
		p.pushAll(t, frame, logged("r", 0, 1))
		equal(t, "handled", d.take(), "gap r 6/3-7/1 not told", "1")
	})
}

func TestAGapThatDoesNotParseEndsTheStream(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{"garbage": garbage, "no log": encode(&imsdkv1.Gap{RoomId: "r"})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeper()
				d := new(diary)
				chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"),
					session.WithOnDisconnect(func(err error) { d.add("%v", err) }))
				p := k.peer(t, 1)
				_ = p.push(&imv1.MessageResponse{RoomId: "r", Type: imv1.MessageType_MESSAGE_TYPE_GAP, Content: content})
				_ = p.push(logged("r", 10, 11))
				k.following(t, 1).pushAll(t, logged("r", 10, 11))
				if lines := d.take(); len(lines) != 2 || !strings.HasPrefix(lines[0], "stream: a gap does not parse") || lines[1] != "11" {
					t.Errorf("%q", lines)
				}
			})
		})
	}
}

func TestAPanicOfTheGapHandlerEndsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"),
			session.WithOnError(func(err error) { d.add("%v", err) }),
			session.WithOnGap(func(context.Context, session.Gap) {
				panic("oh no") //nolint:forbidigo // what is tested
			}))
		k.peer(t, 1).pushAll(t, lost(10, 20), logged("r", 19, 20))
		synctest.Wait()
		if lines := d.take(); len(lines) != 2 || !strings.Contains(strings.Join(lines, "\n"), `handle gap (room "r"): the handler panicked: oh no`) {
			t.Errorf("%q", lines)
		}
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, k.peer(t, 1)), "r 7/20")
	})
}

func TestTooManyGapsEndTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		var why error
		release := make(chan struct{})
		d := new(diary)
		chat(t, start(t, &k.script), imv1sdk.Handlers{}, session.WithRoom("r"), session.WithLanes(1, 1),
			session.WithOnGap(func(_ context.Context, g session.Gap) {
				d.add("%d-%d", g.AfterSeq, g.NextSeq)
				<-release
			}),
			session.WithOnDisconnect(func(err error) { why = err }))
		k.peer(t, 1).pushAll(t, lost(10, 20)) // with the handler
		for i := range uint64(20) {
			_ = k.peer(t, 1).push(lost(10, 30+10*i))
		}
		p := k.following(t, 1)
		if status.Code(why) != codes.ResourceExhausted {
			t.Errorf("OnDisconnect: %v", why)
		}
		close(release)
		synctest.Wait()
		p.pushAll(t, lost(10, 500))
		// One was with the handler, 16 waited, and the last one has in it what was dropped.
		if got := d.take(); len(got) != 18 || got[16] != "169-180" || got[17] != "179-500" {
			t.Errorf("gaps: %q", got)
		}
	})
}

func TestReasonsHaveNames(t *testing.T) {
	t.Parallel()
	for reason, want := range map[session.GapReason]string{
		session.GapReasonUnspecified: "not told", session.GapReasonRetention: "the log no longer reaches back",
		session.GapReasonOtherLog: "the log is another one", session.GapReasonLogCut: "the log was cut",
		session.GapReasonChainBroken: "the server left messages out", 9: "GapReason(9)",
	} {
		if got := reason.String(); got != want {
			t.Errorf("%d: %q", reason, got)
		}
	}
}
