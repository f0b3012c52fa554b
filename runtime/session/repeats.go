package session

import (
	"sync"
	"time"
)

// How many messages, and for how long, a session recognises when they come again where no sequence number tells it: from
// a server that numbers nothing, or from another log. The time keeps a sender whose ids start again with its process from
// going unheard.
const (
	maxRepeats   = 4096
	repeatWindow = 2 * time.Minute
)

// repeats remembers what was received of late, and what became of it. All messages of a room come from the room's lane,
// one after the other.
type repeats struct {
	mu    sync.Mutex // held for map and slice operations only
	known map[messageKey]outcomeOf
	order []repeatable // oldest first
}

// outcomeOf is what became of a message, and where it stood; zero if nothing was numbered.
type outcomeOf struct {
	state repeatState
	at    position
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
	// repeatNew: it was not received of late.
	repeatNew repeatState = iota
	// repeatDone: it is dropped.
	repeatDone
	// repeatHandled: it is dropped, and acknowledged again if it asks for that.
	repeatHandled
	// repeatFailed: its handler returned an error, and runs again.
	repeatFailed
)

func newRepeats() *repeats { return &repeats{known: make(map[messageKey]outcomeOf)} }

// state says what a message is that stands at a position. One that stands behind the other in the same log is none of
// its repeats: its sender uses the id again, and the log has taken both.
func (r *repeats) state(key messageKey, at position) repeatState {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(time.Now())
	known := r.known[key]
	if known.at.epoch == at.epoch && known.at.seq < at.seq {
		return repeatNew
	}
	return known.state
}

// set notes what became of a message.
func (r *repeats) set(key messageKey, at position, state repeatState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[key]; !ok {
		r.order = append(r.order, repeatable{key: key, seen: time.Now()})
	}
	r.known[key] = outcomeOf{state: state, at: at}
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
