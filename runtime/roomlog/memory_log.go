package roomlog

import (
	"math/rand/v2"
	"sort"
	"sync"
	"time"
)

// memoryLog is a room's log in memory.
type memoryLog struct {
	room string

	// mu orders the room: it is held while a message is appended and its subscribers are called.
	mu      sync.Mutex
	head    Cursor
	records queue[*memoryEntry] // by Seq, each linked to the one before
	bytes   int64               // of the payloads of records
	memorySends
	gone bool // dropped from the engine; whoever has it looks for another one

	// The engine's mu guards these.
	uses        int              // records, remembered sends and subscribers
	link        link[*memoryLog] // in Memory.idle, if there are none
	idle        time.Time        // since when it is there and nobody has asked for it
	subscribers []*subscriber    // its elements are never changed
}

// memoryEntry is a record that a log has.
type memoryEntry struct {
	Record

	log  *memoryLog
	link link[*memoryEntry] // in Memory.records; the engine's mu guards it
}

// entryBytes is about what an entry takes beside its payload.
const entryBytes = 128

func (e *memoryEntry) size() int64 { return entryBytes + int64(len(e.Payload)) }

func newMemoryLog(room string) *memoryLog {
	l := &memoryLog{room: room, head: Cursor{Epoch: newEpoch(0)}}
	l.link.of = l
	return l
}

// newEpoch gives the name of a new log: not 0, and not that of the one before.
func newEpoch(old uint64) uint64 {
	for {
		if epoch := rand.Uint64(); epoch != 0 && epoch != old { //nolint:gosec // a name, nothing secret
			return epoch
		}
	}
}

// decide looks whether a message is to be appended. If not, there is an error, or it is known and has its place. mu is held.
func (l *memoryLog) decide(message Message, full bool) (place Place, known bool, err error) {
	if message.Epoch != 0 && message.Epoch != l.head.Epoch {
		return Place{}, false, ErrOtherLog
	}
	if place, known, err = l.find(message.Key, message.Hash); known || err != nil {
		place.Duplicate = known
		return place, known, err
	}
	return Place{}, false, l.mayFollow(message, full)
}

// add puts a message at the end. The engine enlists what it gives. mu is held.
func (l *memoryLog) add(message Message, now time.Time) (*memoryEntry, *memorySend) {
	place := Place{Epoch: l.head.Epoch, Seq: l.head.Seq + 1, PrevSeq: l.head.Seq, Time: now}
	entry := &memoryEntry{log: l, Record: Record{Place: place, Session: message.Session, Payload: message.Payload}}
	entry.link.of = entry
	l.head.Seq = place.Seq
	l.records.push(entry)
	l.bytes += int64(len(message.Payload))
	return entry, l.remember(l, message, place)
}

// beyond tells whether the room has more than it may have. mu is held.
func (l *memoryLog) beyond(limit Retention) bool {
	has := len(l.records.items)
	return has > limit.Messages || has > 1 && l.bytes > limit.Bytes
}

// page gives what comes after a cursor. mu is held.
func (l *memoryLog) page(after Cursor, limit Limit) Page {
	page := Page{Head: l.head, Gap: l.gap(after)}
	from := after.Seq
	if page.Gap != nil {
		from = page.Gap.Next.Seq
	}
	entries := l.records.items
	entries = entries[sort.Search(len(entries), func(i int) bool { return entries[i].Seq > from }):]
	bytes, fit := 0, 0
	for fit < len(entries) {
		bytes += len(entries[fit].Payload)
		if fit > 0 && (limit.Messages > 0 && fit >= limit.Messages || limit.Bytes > 0 && bytes > limit.Bytes) {
			break
		}
		fit++
	}
	if fit > 0 {
		page.Records = make([]Record, fit)
	}
	for i := range page.Records {
		page.Records[i] = entries[i].Record
	}
	return page
}

// gap tells what is missing after a cursor, if anything is. mu is held.
func (l *memoryLog) gap(after Cursor) *Gap {
	start := l.head // the cursor before the first record
	if l.records.items != nil {
		start.Seq = l.records.items[0].PrevSeq
	}
	switch {
	case after.Epoch != l.head.Epoch && after != Cursor{}:
		return &Gap{Reason: GapOtherLog, Next: start}
	case after.Seq > l.head.Seq:
		return &Gap{Reason: GapLogCut, Next: l.head}
	case after.Seq < start.Seq:
		return &Gap{Reason: GapRetention, Next: start}
	default:
		return nil
	}
}
