package heartbeat_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/heartbeat"
)

// pings counts by a log of ids.
type pings struct {
	*heartbeat.Pinger

	mu  sync.Mutex
	ids []string
}

func ping(interval time.Duration) *pings {
	p := new(pings)
	p.Pinger = heartbeat.NewPinger(interval, func(id string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ids = append(p.ids, id)
	})
	return p
}

func (p *pings) expect(t *testing.T, what, want string) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := strings.Join(p.ids, " "); got != want {
		t.Errorf("%s: pings %q, want %q", what, got, want)
	}
	p.ids = nil
}

func TestAPingerSendsAtOnceAndThenAtItsInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := ping(10 * time.Second)
		time.Sleep(time.Minute)
		p.expect(t, "before Start", "")
		p.Start()
		p.expect(t, "Start", "1")
		time.Sleep(35 * time.Second)
		p.expect(t, "35 s", "2 3 4")
		p.SetInterval(2 * time.Second)
		time.Sleep(5 * time.Second)
		p.expect(t, "every 2 s from now", "5 6")
		p.SetInterval(0)
		time.Sleep(2 * time.Second)
		p.expect(t, "0 changes nothing", "7")
		p.Stop()
		p.Stop()
		p.SetInterval(time.Second)
		p.Start()
		time.Sleep(time.Minute)
		p.expect(t, "after Stop", "")
	})
}

func TestOnlyTheLastPingsAnswerIsMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := ping(10 * time.Second)
		p.SetInterval(5 * time.Second)
		if _, ok := p.Answered(""); ok {
			t.Error("an answer without a ping")
		}
		p.Start()
		time.Sleep(30 * time.Millisecond)
		for _, test := range []struct {
			id   string
			want time.Duration
			ok   bool
		}{
			{"7", 0, false},
			{"1", 30 * time.Millisecond, true},
			{"1", 0, false}, // answered already
			{"", 0, false},
		} {
			if rtt, ok := p.Answered(test.id); rtt != test.want || ok != test.ok {
				t.Errorf("answer %q: %s, %t", test.id, rtt, ok)
			}
		}
		time.Sleep(5 * time.Second)
		if rtt, ok := p.Answered(""); rtt != 30*time.Millisecond || !ok {
			t.Errorf("an answer of a server of today: %s, %t", rtt, ok)
		}
		p.Stop()
	})
}
