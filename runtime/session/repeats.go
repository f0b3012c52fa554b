package session

import (
	"sync"
	"time"
)

// How many messages, and for how long, a session recognises when a server that numbers nothing repeats them. The time
// keeps a sender whose ids start again with its process from going unheard.
const (
	maxRepeats   = 4096
	repeatWindow = 2 * time.Minute
)

// repeats remembers what was received of late, and what became of it. All messages of a room come from the room's lane,
// one after the other.
type repeats struct {
	mu    sync.Mutex // held for map and slice operations only
	known map[messageKey]repeatState
	order []repeatable // oldest first
}

// messageKey names a message where no sequence number does.
type messageKey struct{ room, from, id string }

type repeatable struct {
	key  messageKey
	seen time.Time
}

// repeatState says what a message is if it comes again.
type repeatState uint8

const (
	// repeatNew: it was not received of late, or its handler returned an error and runs again.
	repeatNew repeatState = iota
	// repeatDone: it is dropped.
	repeatDone
	// repeatHandled: it is dropped, and acknowledged again if it asks for that.
	repeatHandled
)

func newRepeats() *repeats { return &repeats{known: make(map[messageKey]repeatState)} }

func (r *repeats) state(key messageKey) repeatState {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(time.Now())
	return r.known[key]
}

// set notes what became of a message that was new.
func (r *repeats) set(key messageKey, state repeatState) {
	if state == repeatNew {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[key] = state
	r.order = append(r.order, repeatable{key: key, seen: time.Now()})
}

// forget drops what is too old or too much. The lock is held.
func (r *repeats) forget(now time.Time) {
	old := max(len(r.order)-maxRepeats, 0)
	for old < len(r.order) && now.Sub(r.order[old].seen) >= repeatWindow {
		old++
	}
	for _, gone := range r.order[:old] {
		delete(r.known, gone.key)
	}
	r.order = r.order[old:]
}
