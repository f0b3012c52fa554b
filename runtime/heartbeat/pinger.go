package heartbeat

import (
	"strconv"
	"sync"
	"time"
)

// Pinger sends a sign of life at a fixed interval and measures how long its answer takes.
type Pinger struct {
	send func(id string)

	mu       sync.Mutex // guards what follows; never held while send runs
	interval time.Duration
	timer    *time.Timer
	count    uint64
	id       string    // of the last ping, empty once it is answered
	sent     time.Time // when it went out
	stopped  bool
}

// NewPinger makes a pinger that sends nothing yet. send gets the ping's id, "1", "2", …, which the answer repeats.
func NewPinger(interval time.Duration, send func(id string)) *Pinger {
	return &Pinger{interval: interval, send: send}
}

// Start sends the first ping, in the caller's goroutine, and then one per interval until Stop.
func (p *Pinger) Start() { p.beat() }

// SetInterval changes the interval, counting from now. 0 or less changes nothing.
func (p *Pinger) SetInterval(interval time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if interval <= 0 || p.stopped {
		return
	}
	p.interval = interval
	if p.timer != nil {
		p.timer.Reset(interval)
	}
}

// Answered tells that an answer came, and gives the round-trip time if it belongs to the last ping. A server of today
// repeats no id: an empty one is taken for the last ping's.
func (p *Pinger) Answered(id string) (rtt time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id == "" || (id != "" && id != p.id) {
		return 0, false
	}
	p.id = ""
	return time.Since(p.sent), true
}

// Stop ends it. No ping starts after Stop has returned, though one may be running. It may be called more than once.
func (p *Pinger) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

func (p *Pinger) beat() {
	if id, ok := p.next(); ok {
		p.send(id)
	}
}

func (p *Pinger) next() (id string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return "", false
	}
	p.count++
	p.id, p.sent = strconv.FormatUint(p.count, 10), time.Now()
	if p.timer == nil {
		p.timer = time.AfterFunc(p.interval, p.beat)
	} else {
		p.timer.Reset(p.interval)
	}
	return p.id, true
}
