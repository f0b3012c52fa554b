package session

import (
	"sync"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/heartbeat"
)

// watch is a watchdog that starts late: when the server has shown that it answers heartbeats.
type watch struct {
	mu        sync.Mutex
	dog       *heartbeat.Watchdog
	suspended bool
	ended     bool
}

// start begins the watch, unless it has begun.
func (w *watch) start(limit time.Duration, dead func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dog != nil || w.ended {
		return
	}
	w.dog = heartbeat.NewWatchdog(limit, dead)
	if w.suspended {
		w.dog.Suspend()
	}
}

func (w *watch) get() *heartbeat.Watchdog {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dog
}

func (w *watch) seen() {
	if dog := w.get(); dog != nil {
		dog.Seen()
	}
}

// suspend and resume stand around the reader's wait for a full lane.
func (w *watch) suspend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspended = true
	if w.dog != nil {
		w.dog.Suspend()
	}
}

func (w *watch) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspended = false
	if w.dog != nil {
		w.dog.Resume()
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.dog != nil {
		w.dog.Stop()
	}
}
