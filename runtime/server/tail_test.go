package server_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

func TestWhatIsTooOldForTheLogIsNotSentFromWhatIsAtHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, keeping(roomlog.Retention{Age: 2 * time.Minute}))
		writer := s.knowing("writer", "r", 9, 1)
		writer.say("r", "1", "one")
		one := writer.wantReceipt()
		writer.say("r", "2", "old")
		wantTaken(t, writer.wantReceipt())
		writer.pass(90 * time.Second)
		early, _ := s.resuming("early", "", 1, 1, cursor("r", one.GetEpoch(), one.GetSeq()))
		early.wantTexts(one.GetSeq(), "old")
		early.hangUp()
		writer.say("r", "3", "new")
		newer := writer.wantReceiptAfterOthers()
		writer.pass(31 * time.Second)
		late, _ := s.resuming("late", "", 2, 1, cursor("r", one.GetEpoch(), one.GetSeq()))
		if told := late.wantGap(); told.GetReason() != imsdkv1.GapReason_GAP_REASON_RETENTION {
			t.Errorf("told %v", told)
		}
		for late.next().GetSeq() != newer.GetSeq() {
			continue
		}
	})
}

func TestWhatWasInFlightWhenTheLogWasCutUsesUpNoWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &lateLog{Memory: roomlog.NewMemory(roomlog.Retention{})}
		s := start(t, server.WithLog(log), server.WithWindow(2000))
		first, large := log.said(t, "first"), strings.Repeat("x", 700) // its id, too
		reader, _ := s.resuming("reader", "", 1, 1, cursor("r", first.Epoch, first.Seq))
		last := reader.want(joinRoom)
		reader.handled(cursor("r", last.GetEpoch(), last.GetSeq()))
		log.said(t, large)
		reader.wantTexts(last.GetSeq(), large)
		cut := roomlog.Cursor{Epoch: last.GetEpoch(), Seq: last.GetSeq()}
		log.set(true, func(roomlog.Page) roomlog.Page {
			log.set(false, nil)
			return roomlog.Page{Head: cut, Gap: &roomlog.Gap{Reason: roomlog.GapLogCut, Next: cut}}
		})
		log.said(t, "left out")
		log.leave(false)
		log.said(t, "last")
		if told := reader.wantGap(); told.GetReason() != imsdkv1.GapReason_GAP_REASON_LOG_CUT {
			t.Errorf("told %v", told)
		}
		reader.wantTexts(cut.Seq, large, "left out", "last")
	})
}
