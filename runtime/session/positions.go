package session

import (
	"sync"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// positions knows where the session stands in the log of each of its rooms.
type positions struct {
	mu     sync.Mutex // held for map operations, assignments and save, which only notes
	places map[string]*place
	moved  map[*place]struct{}            // whose cursor has moved and may not be told yet
	save   func(room string, at position) // keeps a cursor over a restart of the program
}

func newPositions() *positions {
	return &positions{places: make(map[string]*place), moved: make(map[*place]struct{})}
}

// place gives a room's place, a new one if there is none. The lock is held.
func (p *positions) place(room string) *place {
	found, ok := p.places[room]
	if !ok {
		found = &place{room: room}
		p.places[room] = found
	}
	return found
}

// logEpoch is the log of a room as the server last named it. 0: none is known.
func (p *positions) logEpoch(room string) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.places[room]; ok {
		return found.log
	}
	return 0
}

// setLog notes the log that the server named for a room.
func (p *positions) setLog(room string, epoch uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.place(room).log = epoch
}

// load takes what a CursorStore has kept. It comes before everything else.
func (p *positions) load(cursors []Cursor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cursor := range cursors {
		if at := (position{epoch: cursor.Epoch, seq: cursor.Seq}); at.known() {
			found := p.place(cursor.RoomID)
			found.start(at, 0)
			found.loaded = true
		}
	}
}

// drop forgets the place of a room that was left.
func (p *positions) drop(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.places[room]; ok {
		p.forget(found)
	}
}

// keep forgets the rooms that the session is not in: a server may have sent messages of such. No stream is open.
func (p *positions) keep(joined map[string]map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for room, found := range p.places {
		if _, ok := joined[room]; !ok && !found.loaded {
			p.forget(found)
		}
	}
}

func (p *positions) forget(found *place) {
	found.gone = true
	delete(p.places, found.room)
	delete(p.moved, found)
}

// cursor is what a stream's start says of a room, a cursor without an epoch if the session stands nowhere.
func (p *positions) cursor(room string) *imsdkv1.Cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.places[room]; ok && found.from().known() {
		return found.resume()
	}
	return &imsdkv1.Cursor{RoomId: room}
}

// announce is cursor for what is about to be sent: a stream's Hello or JOIN. That stream's server knows it from now on,
// unless it has heard of the room before: then nothing that a JOIN says moves the reader.
func (p *positions) announce(room string, stream uint32) *imsdkv1.Cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.places[room]
	if !ok || !found.from().known() {
		return &imsdkv1.Cursor{RoomId: room}
	}
	if found.toldOn != stream {
		found.told, found.toldOn, found.handled = found.from(), stream, 0
	}
	return found.resume()
}

func cursorOf(room string, at position) *imsdkv1.Cursor {
	return &imsdkv1.Cursor{RoomId: room, Epoch: at.epoch, Seq: at.seq}
}

// joined takes what the server says of a room that a stream is in: the head of its log. A place that stands nowhere
// starts there. cut tells that the log ends before what was received, which it can only do of a stream that no message of
// the room came on yet: the session then goes back to the arrival's place, as with a GAP.
func (p *positions) joined(room string, stream uint32, head position) (a arrival, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.place(room)
	found.loaded = false
	if head.known() {
		found.log = head.epoch
	}
	from := found.received
	switch {
	case !head.known():
	case !from.known():
		found.start(head, stream)
		p.save(room, head)
	case found.heardOn != stream && from.epoch == head.epoch && found.from().epoch == head.epoch && head.seq < from.seq:
		to := position{epoch: head.epoch, seq: min(head.seq, found.from().seq)}
		found.skip(to, true)
		p.save(room, found.from())
		return arrival{place: found, at: to, before: from, gaps: found.gaps}, true
	}
	return arrival{}, false
}

// numbered is a message with a sequence number as it arrives.
type numbered struct {
	room string
	at   position // without an epoch: in the log that the server last named
	prev uint64
	size int
}

// arrival is what became of a numbered message, or of a gap.
type arrival struct {
	place   *place
	verdict verdict
	at      position // that of the message, or the one before the first message after the gap
	before  position // up to which the room was received until then
	size    int
	gaps    int // of its place, at that moment
}

// arrive judges a message, and notes it as received if it is to be handled. window is what the server may send beyond
// the cursor, 0 for no bound.
func (p *positions) arrive(stream uint32, window int, m numbered) arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.place(m.room)
	if m.at.epoch == 0 {
		m.at.epoch = found.log
	}
	result := arrival{place: found, at: m.at, size: m.size, verdict: verdictNoLog}
	if !m.at.known() {
		return result
	}
	if !found.received.known() {
		found.start(position{epoch: m.at.epoch, seq: m.prev}, stream)
	}
	if found.toldOn != stream { // nothing has told its server where the session stands
		found.toldOn, found.told = stream, position{}
	}
	found.heardOn, found.loaded = stream, false
	result.before, result.verdict = found.received, found.judge(m.at, m.prev)
	if result.verdict == verdictHandled { // its server does not know the cursor: its window would stay full of what comes again
		found.told = position{}
		p.moved[found] = struct{}{}
	}
	if result.verdict != verdictNext && result.verdict != verdictMissing {
		return result
	}
	if window > 0 && found.waiting > window+window/4 {
		result.verdict = verdictTooMuch
		return result
	}
	found.received, found.hole = m.at, hole{}
	found.waiting += m.size
	result.gaps = found.gaps
	return result
}

// jump takes a GAP. It tells whether something is missing that was not told before.
func (p *positions) jump(stream uint32, room string, after, to position, cut bool) (arrival, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.place(room)
	if !found.received.known() {
		found.start(after, stream)
	}
	found.log, found.heardOn, found.loaded = to.epoch, stream, false
	from := found.received
	result := arrival{place: found, at: to, before: from}
	if from.epoch == to.epoch && (to.seq == from.seq || to.seq < from.seq && !cut) {
		return result, false
	}
	cut = cut && from.epoch == to.epoch && to.seq < from.seq
	found.skip(to, cut)
	if cut {
		p.save(room, found.from())
	}
	result.gaps = found.gaps
	return result, true
}

// undo takes back what arrive or jump have noted: the reader's work was dropped, for the stream ends.
func (p *positions) undo(a arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.place.received = a.before
	a.place.less(a)
}

// complete moves the cursor of a place. handled is how many bytes that makes since the cursor was told. ok: the room was
// not left meanwhile.
func (p *positions) complete(a arrival) (handled int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.place.gone {
		return 0, false
	}
	a.place.complete(a)
	p.moved[a.place] = struct{}{}
	p.save(a.place.room, a.place.from())
	return a.place.handled, true
}

// anyMoved tells whether a cursor may have to be told.
func (p *positions) anyMoved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.moved) > 0
}

// tell gives the cursors that have moved since a stream's server heard of them, and takes them as told. A room whose JOIN is
// still to come is told then.
func (p *positions) tell(stream uint32) []*imsdkv1.Cursor {
	p.mu.Lock()
	defer p.mu.Unlock()
	var cursors []*imsdkv1.Cursor
	for found := range p.moved {
		if found.untold(stream) {
			cursors = append(cursors, cursorOf(found.room, found.from()))
		}
		found.told, found.handled = found.from(), 0
		delete(p.moved, found)
	}
	return cursors
}
