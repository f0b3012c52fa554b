package heartbeat_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/heartbeat"
)

// watched tells after how long, from its start, a watchdog of 15 s called.
type watched struct {
	*heartbeat.Watchdog
	began time.Time
	calls []time.Duration
}

func watch(limit time.Duration) *watched {
	w := &watched{began: time.Now()}
	w.Watchdog = heartbeat.NewWatchdog(limit, func() { w.calls = append(w.calls, time.Since(w.began)) })
	return w
}

func (w *watched) expect(t *testing.T, what string, want ...time.Duration) {
	t.Helper()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	if len(w.calls) != len(want) || (len(want) > 0 && w.calls[0] != want[0]) {
		t.Errorf("%s: called after %v, want %v", what, w.calls, want)
	}
}

func TestAWatchdogCallsOnceAfterSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		watch(15*time.Second).expect(t, "silence from the start", 15*time.Second)

		w := watch(15 * time.Second)
		for range 20 {
			time.Sleep(14 * time.Second)
			w.Seen()
		}
		w.expect(t, "signs of life for 280 s", 295*time.Second)

		w = watch(15 * time.Second)
		time.Sleep(time.Second)
		w.Seen()
		time.Sleep(15*time.Second - 1)
		w.Seen()
		w.expect(t, "a sign in the last nanosecond", 31*time.Second-1)
	})
}

func TestAStoppedWatchdogCallsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(15 * time.Second)
		time.Sleep(14 * time.Second)
		w.Stop()
		w.Stop()
		w.expect(t, "stopped")

		for _, limit := range []time.Duration{0, -1} {
			w = watch(limit)
			w.expect(t, "no limit")
			w.Stop()
		}

		itself, stopped := make(chan *heartbeat.Watchdog, 1), make(chan struct{})
		itself <- heartbeat.NewWatchdog(time.Second, func() {
			(<-itself).Stop()
			close(stopped)
		})
		<-stopped // synctest fails the test if it never is
	})
}

func TestSilenceWhileSuspendedProvesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(15 * time.Second)
		time.Sleep(10 * time.Second)
		w.Suspend()
		time.Sleep(100 * time.Second)
		w.Resume()
		w.expect(t, "resumed after 110 s", 125*time.Second)

		w = watch(15 * time.Second)
		w.Suspend()
		w.Suspend()
		w.Resume()
		w.expect(t, "resumed once of twice")
		w.Resume()
		w.expect(t, "resumed twice", 10*time.Minute+15*time.Second)

		w = watch(15 * time.Second)
		w.Resume()
		w.expect(t, "resumed without a suspension", 15*time.Second)
	})
}
