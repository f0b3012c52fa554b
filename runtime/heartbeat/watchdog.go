package heartbeat

import (
	"sync"
	"sync/atomic"
	"time"
)

// Watchdog calls a function once when nothing was seen for a while.
type Watchdog struct {
	limit time.Duration
	dead  func()
	start time.Time    // what last counts from; it has a monotonic clock, as atomics cannot
	last  atomic.Int64 // nanoseconds since start

	mu        sync.Mutex // guards what follows; never held while dead runs
	timer     *time.Timer
	suspended int
	ended     bool // stopped, or dead was called
}

// NewWatchdog starts a watchdog: dead is called, once, when neither Seen nor Resume was called for limit. A limit of 0
// or less watches nothing. Somebody must call Stop in the end.
func NewWatchdog(limit time.Duration, dead func()) *Watchdog {
	w := &Watchdog{limit: limit, dead: dead, start: time.Now()}
	if limit <= 0 {
		w.ended = true
		return w
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(limit, w.check)
	return w
}

// Seen tells of a sign of life. It costs one atomic store: call it for every message.
func (w *Watchdog) Seen() { w.last.Store(int64(time.Since(w.start))) }

// Suspend stops the watch until Resume: silence proves nothing while the reader does not read. Calls nest.
func (w *Watchdog) Suspend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspended++
}

// Resume goes on watching, with the full limit before it.
func (w *Watchdog) Resume() {
	w.Seen()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.suspended > 0 {
		w.suspended--
	}
}

// Stop ends the watch for good. The function is not called after Stop has returned, though it may be running. Stop may
// be called from within it, and more than once.
func (w *Watchdog) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// check runs when the limit may be over: it sleeps on if there was a sign of life meanwhile.
func (w *Watchdog) check() {
	if w.expired() {
		w.dead()
	}
}

func (w *Watchdog) expired() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	if w.suspended > 0 {
		w.timer.Reset(w.limit)
		return false
	}
	silence := time.Since(w.start) - time.Duration(w.last.Load())
	if silence < w.limit {
		w.timer.Reset(w.limit - silence)
		return false
	}
	w.ended = true
	return true
}
