package roomlog_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

func TestTheEmptyLogThatNobodyAskedForLongestGoesWhenThereAreTooMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{Age: time.Minute})
		l.SetMaxIdle(10)
		empty := func(i int) string { return "empty " + strconv.Itoa(i) }
		epochs := make(map[string]uint64)
		l.say("has a message", "1", nil)
		if _, err := l.Subscribe(t.Context(), "has a subscriber", func(roomlog.Record) {}); err != nil {
			t.Fatal(err)
		}
		cancel, err := l.Subscribe(t.Context(), "had one", func(roomlog.Record) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range []string{"has a message", "has a subscriber", "had one"} {
			epochs[room] = l.head(room).Epoch
		}
		for i := range 10 {
			epochs[empty(i)] = l.head(empty(i)).Epoch
		}
		l.head(empty(0)) // so that the next one is asked for the longest time ago
		cancel()         // and here is one too many
		for _, room := range []string{"has a message", "has a subscriber", "had one", empty(0), empty(2), empty(9)} {
			if l.head(room).Epoch != epochs[room] {
				t.Errorf("the log of %q was dropped", room)
			}
		}
		if l.head(empty(1)).Epoch == epochs[empty(1)] {
			t.Error("there is one too many")
		}
		for i := range 1000 {
			l.head("another " + strconv.Itoa(i))
		}
		if logs := l.Logs(); logs > 2+10+1 {
			t.Errorf("%d logs are kept", logs)
		}
		time.Sleep(3 * time.Minute) // the message goes, and its key
		l.head("another 999")
		for i := range 10 {
			l.head("one more " + strconv.Itoa(i))
		}
		if l.head("has a message").Epoch == epochs["has a message"] {
			t.Error("a log that has become empty stays")
		}
	})
}

func TestAllRoomsTogetherForgetNoKeyBeforeItsTimeAndRefuseWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{Messages: 1, TotalKeys: 100})
		for i := range 100 {
			l.say("room "+strconv.Itoa(i%7), strconv.Itoa(i), nil)
		}
		l.refuses("another", roomlog.Message{Key: "one more"}, roomlog.ErrFull)
		if place, err := l.Append(t.Context(), "room 0", roomlog.Message{Key: "0"}); err != nil || !place.Duplicate {
			t.Errorf("a repeat: %+v, %v", place, err)
		}
		l.Forget("room 0") // 15 keys
		for i := range 15 {
			l.say("another", strconv.Itoa(i), nil)
		}
		l.refuses("another", roomlog.Message{Key: "one more"}, roomlog.ErrFull)
		time.Sleep(2*time.Minute + time.Nanosecond)
		l.say("another", "one more", nil)
	})
}
