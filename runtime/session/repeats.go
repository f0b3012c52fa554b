package session

import (
	"sync"
	"time"
)

// How many messages, and for how long, a session recognises by sender and id: where a server numbers nothing, and across the
// logs of one that does. The time
// keeps a sender whose ids start again with its process from going unheard.
const (
	maxRepeats   = 4096
	repeatWindow = 2 * time.Minute
)

// repeats remembers what was received of late, and what became of it. All messages of a room come from the room's lane,
// one after the other.
type repeats struct {
	mu    sync.Mutex // held for map and slice operations only
	known map[messageKey]repeat
	order []repeatable // oldest first
}

// repeat is what became of a message, and the log that it came from: 0 if the server numbers nothing.
type repeat struct {
	state repeatState
	epoch uint64
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
	// repeatFailed: its handler returned an error, and runs again.
	repeatFailed
	// repeatDone: it is dropped.
	repeatDone
	// repeatHandled: it is dropped, and acknowledged again if it asks for that.
	repeatHandled
)

func newRepeats() *repeats { return &repeats{known: make(map[messageKey]repeat)} }

// of gives what is known of a message.
func (r *repeats) of(key messageKey) repeat {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(time.Now())
	return r.known[key]
}

// note keeps what became of a message. Without an id nothing tells a repeat.
func (r *repeats) note(key messageKey, epoch uint64, state repeatState) {
	if key.id == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[key]; !ok {
		r.order = append(r.order, repeatable{key: key, seen: time.Now()})
	}
	r.known[key] = repeat{state, epoch}
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
