package session

import (
	"sync"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
)

// logAt is a position in a room's log: everything up to and with seq is behind it.
type logAt struct{ epoch, seq uint64 }

// positions knows where the session stands in the log of each of its rooms.
type positions struct {
	mu     sync.Mutex // held for map operations and assignments only
	places map[string]*place
	stored map[string]logAt // cursors for rooms that the session is not in yet
	holes  map[string]hole  // the last one that was found in each room
	keeps  bool             // there is a CursorStore
	forget map[string]bool  // rooms whose cursors it has to delete
	window int              // the largest that a stream of the session has had
}

// place is where the session stands in one room's log, from when the server first named it until the session leaves the room.
type place struct {
	room     string
	log      uint64 // the room's log as the server last named it
	started  bool   // the rest says something
	received logAt  // the last message that went into the room's lane
	cursor   logAt  // the last message whose handler has returned
	told     logAt  // the cursor that the live stream's server knows
	saved    logAt  // the cursor that the store has
	untold   int    // bytes of what was handled since told
	pending  int    // bytes of what is in the lane
}

// hole is where a chain broke.
type hole struct{ after, next logAt }

func newPositions(store CursorStore) *positions {
	return &positions{
		keeps:  store != nil,
		places: make(map[string]*place), stored: make(map[string]logAt), holes: make(map[string]hole),
		forget: make(map[string]bool),
	}
}

// load takes what a CursorStore has.
func (p *positions) load(cursors []Cursor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cursor := range cursors {
		p.stored[cursor.RoomID] = logAt{cursor.Epoch, cursor.Seq}
	}
}

// logEpoch is the log of a room as the server last named it. 0: none is known.
func (p *positions) logEpoch(room string) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if there := p.places[room]; there != nil {
		return there.log
	}
	return 0
}

// grant notes the window of a new stream.
func (p *positions) grant(window int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.window = max(p.window, window)
}

// opened notes that the server has put the session into a room, and where its log ended then. With resume, the session
// starts there, unless it stands somewhere already. The server knows its cursor from the request.
func (p *positions) opened(room string, head logAt, resume bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.at(room)
	there.log = head.epoch
	if !resume || there.started || head.epoch == 0 {
		return
	}
	there.start(head)
	if from, ok := p.stored[room]; ok {
		there.start(from)
		there.saved = from
		delete(p.stored, room)
	}
}

// at gives a room's place, made if there is none. The lock is held.
func (p *positions) at(room string) *place {
	there, ok := p.places[room]
	if !ok {
		there = &place{room: room}
		p.places[room] = there
	}
	return there
}

func (there *place) start(from logAt) {
	there.started = true
	there.received, there.cursor, there.told = from, from, from
}

// ask gives the cursor to join a room with, nil if there is none. The server of the next stream knows it then.
func (p *positions) ask(room string) *imsdkv1.Cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	from, ok := p.stored[room]
	if there := p.places[room]; there != nil && there.started {
		from, ok = there.cursor, true
		there.told, there.untold = from, 0
	}
	if !ok {
		return nil
	}
	return &imsdkv1.Cursor{RoomId: room, Epoch: from.epoch, Seq: from.seq}
}

// left forgets a room that the session is no longer in. With keep its cursor waits for the session to join it again.
func (p *positions) left(room string, keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.places[room]
	delete(p.places, room)
	delete(p.holes, room)
	switch {
	case !keep:
		delete(p.stored, room)
		if p.keeps {
			p.forget[room] = true
		}
	case there != nil && there.started:
		p.stored[room] = there.cursor
	}
}

// verdict says what a message is to the chain of its room.
type verdict uint8

const (
	inChain   verdict = iota // it is the next one
	repeated                 // it was received before
	broken                   // it is not the one after the last, for the first time
	holeAgain                // the same again: what is between will not come
	tooMuch                  // the server sends more than the window lets it
)

// accept looks at a message of a room's log before it goes into the lane, and counts it there if it is the next one. A
// room in which the session is, and whose position nobody has told, starts here.
func (p *positions) accept(room string, at logAt, prev uint64, size int, flow bool) (*place, verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.at(room)
	if at.epoch == 0 {
		at.epoch = there.log
	}
	if !there.started {
		there.log = at.epoch
		there.start(logAt{at.epoch, prev})
	}
	before := there.received
	switch {
	case at.epoch == before.epoch && at.seq <= before.seq:
		return there, repeated
	case (at.epoch != before.epoch || prev != before.seq) && !sabotage.NoChain:
		found := hole{before, at}
		if p.holes[room] == found {
			return there, holeAgain
		}
		p.holes[room] = found
		return there, broken
	case flow && there.pending > 0 && there.pending+size > p.window:
		return there, tooMuch
	}
	there.received = at
	there.pending += size
	return there, inChain
}

// jump moves on over a gap that a server tells: to right behind next. It gives the position before, or false if the session is
// there already.
func (p *positions) jump(room string, next logAt) (there *place, before logAt, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there = p.at(room)
	there.log = next.epoch
	before = there.received
	if !there.started {
		there.start(next)
		return there, before, false
	}
	if before.epoch == next.epoch && before.seq >= next.seq {
		return there, before, false
	}
	there.received = next
	return there, before, true
}

// handled moves a room's cursor: the handler of the message there has returned. It tells whether the server should know
// at once, because much of the window is used. A place that was replaced meanwhile changes nothing.
func (p *positions) handled(there *place, to logAt, size int) (moved, soon bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places[there.room] != there {
		return false, false
	}
	there.cursor = to
	there.pending -= size
	there.untold += size
	return true, p.window > 0 && there.untold >= p.window/4
}

// tell gives the cursors that the live stream's server does not know, and counts them as told.
func (p *positions) tell() []*imsdkv1.Cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	var moved []*imsdkv1.Cursor
	for room, there := range p.places {
		if there.started && there.told != there.cursor {
			there.told, there.untold = there.cursor, 0
			moved = append(moved, &imsdkv1.Cursor{RoomId: room, Epoch: there.cursor.epoch, Seq: there.cursor.seq})
		}
	}
	return moved
}

// unsaved gives what a CursorStore does not have yet, and the rooms that it has to forget.
func (p *positions) unsaved() (changed []Cursor, deleted []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.keeps {
		return nil, nil
	}
	for room, there := range p.places {
		if there.started && there.saved != there.cursor {
			changed = append(changed, Cursor{RoomID: room, Epoch: there.cursor.epoch, Seq: there.cursor.seq})
		}
	}
	for room := range p.forget {
		deleted = append(deleted, room)
	}
	return changed, deleted
}

// saved notes what the store has by now.
func (p *positions) saved(cursors []Cursor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cursor := range cursors {
		if there := p.places[cursor.RoomID]; there != nil {
			there.saved = logAt{cursor.Epoch, cursor.Seq}
		}
	}
}

func (p *positions) deleted(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.forget, room)
}
