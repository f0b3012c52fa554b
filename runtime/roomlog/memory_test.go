package roomlog_test

import (
	"errors"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// log is an engine whose calls are not refused.
type log struct {
	*testing.T
	*roomlog.Memory
}

func newLog(t *testing.T, retention roomlog.Retention) log {
	t.Helper()
	return log{t, roomlog.NewMemory(retention)}
}

func (l log) say(room, key string, payload []byte) roomlog.Place {
	l.Helper()
	place, err := l.Append(l.Context(), room, roomlog.Message{Key: key, Payload: payload})
	if err != nil || place.Duplicate {
		l.Fatalf("append %q to %q: %+v, %v", key, room, place, err)
	}
	return place
}

func (l log) refuses(room string, m roomlog.Message, want error) {
	l.Helper()
	if place, err := l.Append(l.Context(), room, m); !errors.Is(err, want) {
		l.Errorf("append %q: %+v, %v; want %v", m.Key, place, err, want)
	}
}

// kept is how many messages a room has.
func (l log) kept(room string) int {
	l.Helper()
	page, err := l.Read(l.Context(), room, roomlog.Cursor{}, roomlog.Limit{})
	if err != nil {
		l.Fatal(err)
	}
	return len(page.Records)
}

func (l log) head(room string) roomlog.Cursor {
	l.Helper()
	head, err := l.Head(l.Context(), room)
	if err != nil {
		l.Fatal(err)
	}
	return head
}

func TestAMessageGoesWhenItIsOlderThanTheAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{Age: time.Minute})
		l.say("r", "1", nil)
		time.Sleep(30 * time.Second)
		last := l.say("r", "2", nil)
		time.Sleep(30 * time.Second)
		if kept := l.kept("r"); kept != 2 {
			t.Errorf("%d messages are kept at the age", kept)
		}
		time.Sleep(time.Nanosecond)
		if kept := l.kept("r"); kept != 1 {
			t.Errorf("%d messages are kept beyond the age", kept)
		}
		time.Sleep(time.Minute)
		if kept := l.kept("r"); kept != 0 || l.head("r").Seq != last.Seq {
			t.Errorf("%d messages are kept, the head is %+v", kept, l.head("r"))
		}
	})
}

func TestWhateverIsAskedForLetsGoOfTheOldMessagesOfOtherRooms(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(l log) error{
		"append": func(l log) error {
			_, err := l.Append(l.Context(), "other", roomlog.Message{Key: "k"})
			return err
		},
		"find": func(l log) error {
			_, _, err := l.Find(l.Context(), "other", "k", roomlog.Hash{})
			return err
		},
		"read": func(l log) error {
			_, err := l.Read(l.Context(), "other", roomlog.Cursor{}, roomlog.Limit{})
			return err
		},
		"head": func(l log) error {
			_, err := l.Head(l.Context(), "other")
			return err
		},
		"subscribe": func(l log) error {
			_, err := l.Subscribe(l.Context(), "other", func(roomlog.Record) {})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLog(t, roomlog.Retention{Age: time.Minute})
				payload := weak.Make(new([1000]byte))
				l.say("idle", "1", payload.Value()[:])
				runtime.GC()
				if payload.Value() == nil {
					t.Fatal("the payload is gone before its time")
				}
				time.Sleep(time.Minute + time.Nanosecond)
				if err := ask(l); err != nil {
					t.Error(err)
				}
				runtime.GC()
				if payload.Value() != nil {
					t.Error("the payload is still there")
				}
				runtime.KeepAlive(l)
			})
		})
	}
}

func TestASendIsRememberedForTheDedupeWindowWhateverBecomesOfItsMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{Messages: 1, Age: time.Second, DedupeWindow: time.Minute})
		send := func(key string, number uint64) roomlog.Message {
			return roomlog.Message{Key: key, Session: 7, SendNumber: number, Payload: []byte(key)}
		}
		first, err := l.Append(t.Context(), "r", send("five", 5))
		if err != nil {
			t.Fatal(err)
		}
		l.say("r", "other", nil)
		time.Sleep(time.Minute)
		if kept := l.kept("r"); kept != 0 {
			t.Errorf("%d messages are kept", kept)
		}
		again, err := l.Append(t.Context(), "r", send("five", 5))
		if again.Duplicate = false; err != nil || again != first {
			t.Errorf("the repeat is at %+v, %v; the first one at %+v", again, err, first)
		}
		l.refuses("r", send("four", 4), roomlog.ErrTooLate)
		time.Sleep(time.Nanosecond)
		if _, found, err := l.Find(t.Context(), "r", "five", roomlog.Hash{}); found || err != nil {
			t.Errorf("after the window: found %v, %v", found, err)
		}
		if place, err := l.Append(t.Context(), "r", send("five", 5)); err != nil || place.Duplicate {
			t.Errorf("after the window: %+v, %v", place, err)
		}
	})
}

func TestASessionsSendNumberIsRememberedFromItsLastSendOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{DedupeWindow: time.Minute})
		for number := range uint64(3) {
			if _, err := l.Append(t.Context(), "r", roomlog.Message{
				Key: strconv.Itoa(int(number)), Session: 7, SendNumber: number + 1,
			}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(40 * time.Second)
		}
		l.refuses("r", roomlog.Message{Key: "late", Session: 7, SendNumber: 3}, roomlog.ErrTooLate)
		time.Sleep(20*time.Second + time.Nanosecond)
		if _, err := l.Append(t.Context(), "r", roomlog.Message{Key: "late", Session: 7, SendNumber: 1}); err != nil {
			t.Error(err)
		}
	})
}

func TestTheOldestOfAllRoomsGoFirst(t *testing.T) {
	t.Parallel()
	const size, beside = 1000, 128
	l := newLog(t, roomlog.Retention{TotalBytes: 4 * (size + beside)})
	payload := make([]byte, size)
	for i, room := range []string{"a", "a", "b", "c"} {
		l.say(room, strconv.Itoa(i), payload)
	}
	want := func(a, b, c int) {
		t.Helper()
		if l.kept("a") != a || l.kept("b") != b || l.kept("c") != c {
			t.Errorf("kept %d, %d, %d; want %d, %d, %d", l.kept("a"), l.kept("b"), l.kept("c"), a, b, c)
		}
	}
	want(2, 1, 1)
	l.say("c", "4", payload)
	want(1, 1, 2)
	l.say("c", "5", payload)
	want(0, 1, 3)
	l.say("a", "6", payload[:1])
	want(1, 0, 3)
	l.say("b", "7", make([]byte, 100*size)) // alone more than all may have
	want(0, 1, 0)
}

func TestAnAppendLetsGoOfWhatIsTooMuchByNow(t *testing.T) {
	t.Parallel()
	l := newLog(t, roomlog.Retention{TotalBytes: 2000})
	payload := weak.Make(new([1000]byte))
	l.say("idle", "1", payload.Value()[:])
	l.say("r", "2", make([]byte, 1000))
	runtime.GC()
	if payload.Value() != nil {
		t.Error("the payload is still there")
	}
	runtime.KeepAlive(l)
}

func TestTheNewestMessageOfARoomStaysHoweverLargeItIs(t *testing.T) {
	t.Parallel()
	l := newLog(t, roomlog.Retention{Bytes: 10})
	l.say("r", "1", make([]byte, 4))
	l.say("r", "2", make([]byte, 6))
	if kept := l.kept("r"); kept != 2 {
		t.Errorf("%d messages are kept", kept)
	}
	l.say("r", "3", make([]byte, 100))
	if kept := l.kept("r"); kept != 1 {
		t.Errorf("%d messages are kept", kept)
	}
	l.say("r", "4", nil)
	if kept := l.kept("r"); kept != 1 {
		t.Errorf("%d messages are kept", kept)
	}
}

func TestALogThatNobodyAsksForIsDroppedWhenNothingIsLeftOfIt(t *testing.T) {
	t.Parallel()
	const idle = time.Hour
	for name, test := range map[string]struct {
		keep  roomlog.Retention
		stays time.Duration // it is there then
		gone  time.Duration // and has been dropped then
	}{
		// Others ask every ten minutes: at the first time after the last thing of it has gone, it begins to be idle.
		"an hour":                      {roomlog.Retention{Age: time.Minute}, 10*time.Minute + idle, 10*time.Minute + idle + 1},
		"a longer age":                 {roomlog.Retention{Age: 3 * idle}, 3*idle + 10*time.Minute, 7 * idle},
		"sends that it has to know of": {roomlog.Retention{Age: time.Minute, DedupeWindow: 3 * idle}, 4 * idle, 5 * idle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for after, stays := range map[time.Duration]bool{test.stays: true, test.gone: false} {
					l := newLog(t, test.keep)
					epoch := l.say("r", "1", nil).Epoch
					l.othersAsk(after)
					if there := l.head("r").Epoch == epoch; there != stays {
						t.Errorf("there after %v: %v", after, there)
					}
				}
			})
		})
	}
}

func TestALogWithASubscriberIsNotDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{})
		place := l.say("r", "1", nil)
		cancel, err := l.Subscribe(t.Context(), "r", func(roomlog.Record) {})
		if err != nil {
			t.Fatal(err)
		}
		l.othersAsk(10 * time.Hour)
		cancel()
		l.othersAsk(time.Hour)
		if head := l.head("r"); head != (roomlog.Cursor{Epoch: place.Epoch, Seq: 1}) {
			t.Errorf("the head is %+v, the message was at %+v", head, place)
		}
		l.othersAsk(time.Hour + 1)
		if l.head("r").Epoch == place.Epoch {
			t.Error("it stays for ever")
		}
	})
}

// othersAsk lets time pass, in which another room is asked for now and then.
func (l log) othersAsk(during time.Duration) {
	l.Helper()
	for begin := time.Now(); time.Since(begin) < during; {
		time.Sleep(min(10*time.Minute, during-time.Since(begin)))
		l.head("other")
	}
}

func TestARoomThatRemembersTooManySendsIsFullUntilTheyAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t, roomlog.Retention{Messages: 1})
		l.SetMaxKeys(100)
		for i := range 100 {
			l.say("r", strconv.Itoa(i), nil)
		}
		l.refuses("r", roomlog.Message{Key: "one more"}, roomlog.ErrFull)
		if place, err := l.Append(t.Context(), "r", roomlog.Message{Key: "0"}); err != nil || !place.Duplicate {
			t.Errorf("a repeat: %+v, %v", place, err)
		}
		l.say("other", "one more", nil)
		time.Sleep(2*time.Minute + time.Nanosecond)
		l.say("r", "one more", nil)
	})
}

func TestTheDefaultsOfRetentionAreWhatItsCommentSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, keep := range []roomlog.Retention{{}, {Messages: -1, Bytes: -1, Age: -1, DedupeWindow: -1, TotalBytes: -1}} {
			l := newLog(t, keep)
			for i := range 10_001 {
				l.say("many", strconv.Itoa(i), nil)
			}
			for i := range 5 {
				l.say("large", strconv.Itoa(i), make([]byte, 1<<20))
			}
			if many, large := l.kept("many"), l.kept("large"); many != 10_000 || large != 4 {
				t.Errorf("%d and %d messages are kept", many, large)
			}
			if window := l.DedupeWindow(); window != 2*time.Minute {
				t.Errorf("the window is %v", window)
			}
			for i := range 300 {
				l.say("room "+strconv.Itoa(i), "large", make([]byte, 1<<20))
			}
			kept := l.kept("many") + l.kept("large")
			for i := range 300 {
				kept += l.kept("room " + strconv.Itoa(i))
			}
			if kept != 255 { // of a mebibyte and 128 bytes each
				t.Errorf("%d mebibytes are kept", kept)
			}
			time.Sleep(time.Hour)
			if l.kept("room 299") != 1 {
				t.Error("nothing is kept for an hour")
			}
			time.Sleep(time.Nanosecond)
			if l.kept("room 299") != 0 {
				t.Error("something is kept for longer than an hour")
			}
		}
	})
}
