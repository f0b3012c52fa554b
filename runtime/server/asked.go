package server

import (
	"slices"
	"time"
)

// What a room knows of messages that asked for ACKs.
const (
	maxAsked = 10_000
	askedFor = time.Hour
)

// asked finds the messages of a room that want ACKs. Its room's lock guards it.
type asked struct {
	byID  map[string][]askedMessage
	order []askedID // oldest first
}

type askedMessage struct {
	sender sessionKey // id 0: no session
	seq    uint64
	epoch  uint64
}

type askedID struct {
	id    string
	noted time.Time
}

func newAsked() asked { return asked{byID: make(map[string][]askedMessage)} }

// note takes a frame of the room's log. One that it knows changes nothing.
func (a *asked) note(f frame) {
	if !f.message.GetAckRequired() || f.place.Seq == 0 {
		return
	}
	id := f.message.GetMessageId()
	message := askedMessage{
		sender: sessionKey{user: f.message.GetFromUserId(), id: f.message.GetSessionId()}, seq: f.place.Seq, epoch: f.place.Epoch,
	}
	if slices.Contains(a.byID[id], message) {
		return
	}
	now := time.Now()
	a.byID[id] = append(a.byID[id], message)
	a.order = append(a.order, askedID{id: id, noted: now})
	for len(a.order) > maxAsked || now.Sub(a.order[0].noted) > askedFor {
		a.drop(a.order[0].id)
		a.order = a.order[1:]
	}
}

// drop forgets the oldest message with an id.
func (a *asked) drop(id string) {
	if len(a.byID[id]) <= 1 {
		delete(a.byID, id)
		return
	}
	a.byID[id] = a.byID[id][1:]
}
