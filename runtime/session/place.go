package session

import (
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
)

// position is a point in a room's log: everything up to and with seq is behind it. The zero value is none.
type position struct{ epoch, seq uint64 }

func (p position) known() bool { return p.epoch != 0 }

// place is where the session stands in one room. It is replaced when the room is left: what was received before says
// nothing about a place that came later. The lock of positions guards it.
type place struct {
	room     string
	log      uint64   // the room's log as the server last named it; 0: none
	received position // of the last message that went into the lane
	cursor   position // up to which handlers have returned
	back     position // to which a cut log took the session back, until the gap is told; the zero value: nowhere
	backGap  int      // the number of that gap
	told     position // the cursor as a server last heard it
	toldOn   uint32   // the stream on which it did
	heardOn  uint32   // the stream that the last message came on
	waiting  int      // bytes of messages that were received since the last gap and not handled yet
	gaps     int      // how many there were: what waits from before one is no part of the server's window
	handled  int      // bytes handled since the cursor was told
	hole     hole
	loaded   bool // from the CursorStore, and no server has confirmed it yet
	gone     bool // the room was left
}

// hole is where the chain of messages broke.
type hole struct {
	from, next position
	streams    int // on how many it was met
}

// maxHoles is how many streams may break at one position, be it at another hole each time, before the session goes on.
const maxHoles = 3

// start is for a place that stands nowhere yet.
func (p *place) start(at position, stream uint32) {
	p.received, p.cursor, p.told, p.toldOn = at, at, at, stream
}

// from is the position that a server resumes after, and a CursorStore keeps. A log that was cut has new messages under the
// numbers of those that are lost: until the handler of the gap has returned, what was handled before says nothing.
func (p *place) from() position {
	if p.back.known() {
		return p.back
	}
	return p.cursor
}

// skip notes a gap: what is received goes on after a position. cut: the log ends there, before what was received.
func (p *place) skip(to position, cut bool) {
	p.waiting, p.gaps = 0, p.gaps+1
	if cut {
		p.back, p.backGap = position{epoch: to.epoch, seq: min(to.seq, p.from().seq)}, p.gaps
	}
	p.received, p.hole = to, hole{}
}

// complete moves the cursor behind an arrival whose handler has returned.
func (p *place) complete(a arrival) {
	p.cursor = a.at
	if a.gaps >= p.backGap {
		p.back = position{}
	}
	p.less(a)
	p.handled += a.size
}

// resume is what a server is told of the place where a stream or a join begins.
func (p *place) resume() *imsdkv1.Cursor {
	from := p.from()
	cursor := cursorOf(p.room, from)
	if p.received.epoch == from.epoch && p.received.seq > from.seq {
		cursor.ReceivedSeq = p.received.seq
	}
	return cursor
}

// untold tells whether the server of a stream does not know where the session is by now.
func (p *place) untold(stream uint32) bool {
	return !p.gone && p.toldOn == stream && p.from() != p.told
}

// verdict says what a numbered message is.
type verdict uint8

const (
	verdictNext    verdict = iota // the next one
	verdictHandled                // a repeat whose handler has returned
	verdictWaiting                // a repeat that waits for its handler, or is with it
	verdictBroken                 // one before it is missing: a new stream may bring it
	verdictMissing                // one before it is missing again: it will not come
	verdictTooMuch                // more than the window lets the server send
	verdictNoLog                  // its log has no name: nothing can be said
)

// judge says what the message at a position is, whose predecessor has the sequence number prev.
func (p *place) judge(at position, prev uint64) verdict {
	switch {
	case at.epoch == p.received.epoch && at.seq <= p.received.seq:
		if handled := p.from(); at.epoch == handled.epoch && at.seq <= handled.seq {
			return verdictHandled
		}
		return verdictWaiting
	case sabotage.NoChain:
		return verdictNext
	case at.epoch == p.received.epoch && prev == p.received.seq:
		return verdictNext
	default:
		return p.broken(at)
	}
}

// broken notes a hole, which ends its stream. Met on a second one it is one that no stream fills.
func (p *place) broken(at position) verdict {
	before := p.hole
	p.hole = hole{from: p.received, next: at, streams: 1}
	if before.from != p.received {
		return verdictBroken
	}
	p.hole.streams += before.streams
	if before.next == at || p.hole.streams >= maxHoles {
		return verdictMissing
	}
	return verdictBroken
}

// less takes back what an arrival has counted as waiting, unless a gap has come since: then the count began anew.
func (p *place) less(a arrival) {
	if a.gaps == p.gaps {
		p.waiting -= a.size
	}
}
