package roomlog_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

func TestASubscriberIsCalledBeforeAppendReturnsAndMayCancel(t *testing.T) {
	t.Parallel()
	l := newLog(t, roomlog.Retention{})
	var (
		heard  []roomlog.Record
		cancel func()
	)
	cancel, err := l.Subscribe(t.Context(), "r", func(record roomlog.Record) {
		heard = append(heard, record)
		cancel()
	})
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte("payload")
	place := l.say("r", "1", payload)
	if len(heard) != 1 || heard[0].Place != place || &heard[0].Payload[0] != &payload[0] {
		t.Errorf("heard %+v", heard)
	}
	l.say("r", "2", payload)
	if len(heard) != 1 {
		t.Errorf("heard after cancel: %+v", heard[1:])
	}
	page, err := l.Read(t.Context(), "r", roomlog.Cursor{}, roomlog.Limit{})
	if err != nil || !bytes.Equal(page.Records[0].Payload, payload) || &page.Records[0].Payload[0] != &payload[0] {
		t.Errorf("the payload was copied: %+v, %v", page, err)
	}
}

func TestASubscriberMayCancelAnotherOneThatIsToBeCalledNext(t *testing.T) {
	t.Parallel()
	l := newLog(t, roomlog.Retention{})
	heard := 0
	var cancels [2]func()
	for i := range cancels {
		cancel, err := l.Subscribe(t.Context(), "r", func(roomlog.Record) {
			heard++
			cancels[1-i]()
		})
		if err != nil {
			t.Fatal(err)
		}
		cancels[i] = cancel
	}
	l.say("r", "1", nil)
	if heard != 1 {
		t.Errorf("%d were called", heard)
	}
}

func TestASubscriberThatTakesItsTimeHoldsUpItsRoomOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{})
		slow := make(chan struct{})
		if _, err := l.Subscribe(t.Context(), "slow", func(roomlog.Record) { <-slow }); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = l.Append(t.Context(), "slow", roomlog.Message{Key: "1"})
		}()
		synctest.Wait()
		l.say("r", "1", nil)
		if l.kept("r") != 1 || l.head("r").Seq != 1 {
			t.Error("the other room has nothing")
		}
		close(slow)
		<-done
	})
}
