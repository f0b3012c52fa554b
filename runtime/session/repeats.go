package session

import (
	"sync"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// How many messages, and for how long, a session recognises when a server of today repeats them. The time keeps a
// sender whose ids start again with its process from going unheard.
const (
	maxRepeats   = 4096
	repeatWindow = 2 * time.Minute
)

// repeats knows the messages of late from servers that number nothing: deployed servers may send one twice.
type repeats struct {
	mu    sync.Mutex // held for map and slice operations only
	known map[messageKey]bool
	order []repeatable // oldest first
}

// messageKey names a message where no sequence number does. The zero value names none.
type messageKey struct{ room, from, id string }

type repeatable struct {
	key  messageKey
	seen time.Time
}

// keyOf is the message's key, the zero value if its server numbers messages or it has no id.
func keyOf(in *runtime.Incoming) messageKey {
	if in.Seq != 0 || in.ID == "" {
		return messageKey{}
	}
	return messageKey{room: in.RoomID, from: in.From, id: in.ID}
}

// find tells whether a message came before, and whether a handler took it then.
func (r *repeats) find(key messageKey) (handled, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(time.Now().Add(-repeatWindow))
	handled, again = r.known[key]
	return handled, again
}

// add notes a message that is done with.
func (r *repeats) add(key messageKey, handled bool) {
	if key == (messageKey{}) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = make(map[messageKey]bool)
	}
	if len(r.order) == maxRepeats {
		r.forget(r.order[0].seen)
	}
	r.known[key] = handled
	r.order = append(r.order, repeatable{key: key, seen: time.Now()})
}

// forget drops what is not younger than that. The lock is held.
func (r *repeats) forget(until time.Time) {
	old := 0
	for old < len(r.order) && !r.order[old].seen.After(until) {
		delete(r.known, r.order[old].key)
		old++
	}
	r.order = r.order[old:]
}
