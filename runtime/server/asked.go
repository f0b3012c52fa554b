package server

import (
	"slices"
	"sync"
	"time"
)

// What a server knows of messages that asked for ACKs, and how many with one id in one room.
const (
	maxAsked     = 200_000
	maxAskedOfID = 8
	askedFor     = time.Hour
)

// asked finds the messages that want ACKs, in all rooms. It outlives them: when everybody has lost the connection, and with
// that the room has gone, the ACKs come once they are back.
type asked struct {
	mu    sync.Mutex // may be taken under a room's lock
	byID  map[askedID][]askedMessage
	order []noted // oldest first
}

type askedID struct{ room, id string }

type askedMessage struct {
	sender     sessionKey // id 0: no session
	epoch, seq uint64
}

// noted is where a message is found, and when it came.
type noted struct {
	askedID

	epoch, seq uint64
	at         time.Time
}

func newAsked() asked { return asked{byID: make(map[askedID][]askedMessage)} }

// note takes a frame of a room's log. One that it knows changes nothing. Of too many with one id the newest count.
func (a *asked) note(room string, f frame) {
	if !f.message.GetAckRequired() {
		return
	}
	id := askedID{room: room, id: f.message.GetMessageId()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.index(id, f.place.Epoch, f.place.Seq) >= 0 {
		return
	}
	if len(a.byID[id]) == maxAskedOfID {
		a.byID[id] = slices.Delete(a.byID[id], 0, 1)
	}
	a.byID[id] = append(a.byID[id], askedMessage{
		sender: sessionKey{user: f.message.GetFromUserId(), id: f.message.GetSessionId()}, epoch: f.place.Epoch, seq: f.place.Seq,
	})
	now := time.Now()
	a.order = append(a.order, noted{askedID: id, epoch: f.place.Epoch, seq: f.place.Seq, at: now})
	for len(a.order) > maxAsked || now.Sub(a.order[0].at) > askedFor {
		a.drop(a.order[0])
		a.order = a.order[1:]
	}
}

// find gives the messages of a room with that id, oldest first.
func (a *asked) find(room, id string) []askedMessage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.byID[askedID{room: room, id: id}])
}

// index finds a message among those with its id. mu is held.
func (a *asked) index(id askedID, epoch, seq uint64) int {
	return slices.IndexFunc(a.byID[id], func(m askedMessage) bool { return m.epoch == epoch && m.seq == seq })
}

// drop forgets a message that has been long there, if it is there still. mu is held.
func (a *asked) drop(old noted) {
	i := a.index(old.askedID, old.epoch, old.seq)
	switch {
	case i < 0:
		return
	case len(a.byID[old.askedID]) == 1:
		delete(a.byID, old.askedID)
	default:
		a.byID[old.askedID] = slices.Delete(a.byID[old.askedID], i, i+1)
	}
}
