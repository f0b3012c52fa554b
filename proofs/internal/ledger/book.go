package ledger

import (
	"fmt"
	"sync"
)

// Book collects events. All methods are safe for concurrent use.
type Book struct {
	mu       sync.Mutex // guards everything below; held for work in memory only
	counts   Counts
	wrong    examples
	errors   examples
	sent     map[stream]*sending
	rooms    map[int]map[int]*reading // by room and reader
	lives    map[int]map[uint64]int   // by room: the order of its epochs
	hurried  map[stream]bool          // its sends may be given up
	hearsOwn map[int]bool             // readers that get their own messages too
	mayOwn   map[int]bool             // readers that may get some of them
}

// stream is what one sender sends to one room.
type stream struct{ sender, room int }

// sending is what became of a stream's messages.
type sending struct {
	fates []fate // by number, from 1
}

type fate struct {
	place   Place
	outcome Kind // 0: none yet
	sent    bool
	seen    bool // delivered to somebody
}

// reading is what a reader got in a room.
type reading struct {
	last Place
	past map[uint64]bool  // epochs that are over
	got  map[int]*numbers // by sender
	gaps []gap
	owed bool // it is there all the time, and has to get everything
}

type gap struct{ after, next Place }

// NewBook makes an empty book.
func NewBook() *Book {
	return &Book{
		sent: make(map[stream]*sending), rooms: make(map[int]map[int]*reading), lives: make(map[int]map[uint64]int),
		hurried: make(map[stream]bool), hearsOwn: make(map[int]bool), mayOwn: make(map[int]bool),
	}
}

// Reads says that a reader is in a room all the time, from before its first message.
func (b *Book) Reads(reader, room int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading(reader, room).owed = true
}

// Leaves says that a reader need not get a room's messages any more. What it got so far, and what it still gets, has to
// be in order, and nothing twice.
func (b *Book) Leaves(reader, room int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading(reader, room).owed = false
}

// Rewinds says that a reader starts again behind a place, as a program does that kept its cursor: what comes after it must
// come, once more if it had come before.
func (b *Book) Rewinds(reader, room int, to Place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.reading(reader, room)
	r.last = to
	delete(r.past, to.Epoch)
	for s, sending := range b.sent {
		if s.room != room {
			continue
		}
		got := r.from(s.sender)
		for number := range sending.fates {
			at := sending.fates[number].place
			if got.has(number) && (at.Epoch != to.Epoch || at.Seq > to.Seq) && !b.before(room, at.Epoch, to.Epoch) {
				got.remove(number)
			}
		}
	}
}

// before tells whether one log of a room is known to have lived before another.
func (b *Book) before(room int, epoch, other uint64) bool {
	lives := b.lives[room]
	first, knowsFirst := lives[epoch]
	second, knowsSecond := lives[other]
	return knowsFirst && knowsSecond && first < second
}

// Hurries says that a sender gives up its sends to a room after a while, so that they may fail.
func (b *Book) Hurries(sender, room int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hurried[stream{sender, room}] = true
}

// HearsOwn says that a reader gets its own messages too. Others must not get them.
func (b *Book) HearsOwn(reader int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hearsOwn[reader] = true
}

// MayHearOwn says that a reader may get messages of its own from now on: those that an earlier session of it has sent.
func (b *Book) MayHearOwn(reader int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mayOwn[reader] = true
}

// Add takes events.
func (b *Book) Add(events ...Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		b.add(&events[i])
	}
}

func (b *Book) add(e *Event) {
	switch e.Kind {
	case Sent:
		b.counts.Sent++
		b.fate(e.Message).sent = true
	case Receipt, Maybe, Never:
		b.decide(e)
	case Delivered:
		b.deliver(e)
	case Told:
		b.counts.Gaps++
		r := b.reading(e.Reader, e.Message.Room)
		if e.Unsaid {
			b.counts.Unsaid++
			b.wrong.addf("reader %d in room %d found a gap by itself, after %v, before %v", e.Reader, e.Message.Room, e.Place, e.Next)
		} else {
			b.errors.addf("reader %d in room %d was told a gap after %v, before %v: %s",
				e.Reader, e.Message.Room, e.Place, e.Next, e.Text)
		}
		r.gaps = append(r.gaps, gap{after: e.Place, next: e.Next})
	case Life:
		lives := b.lives[e.Message.Room]
		if lives == nil {
			lives = make(map[uint64]int)
			b.lives[e.Message.Room] = lives
		}
		if _, known := lives[e.Place.Epoch]; !known {
			lives[e.Place.Epoch] = len(lives)
		}
	default:
		b.wrong.addf("an event of no kind: %+v", *e)
	}
}

// decide notes what a sender was told.
func (b *Book) decide(e *Event) {
	f := b.fate(e.Message)
	if f.outcome != 0 {
		b.counts.Contradictions++
		b.wrong.addf("%v has two results", e.Message)
		return
	}
	f.outcome = e.Kind
	switch e.Kind {
	case Receipt:
		b.counts.Receipts++
		b.agree(f, e.Message, e.Place)
		return
	case Maybe:
		b.counts.Maybe++
	default:
		b.counts.Never++
	}
	if !b.hurried[stream{e.Message.Sender, e.Message.Room}] {
		b.counts.Failed++
		b.errors.addf("%v failed: %s", e.Message, e.Text)
	}
}

// agree compares two accounts of where a message stands.
func (b *Book) agree(f *fate, m Message, at Place) {
	switch {
	case at.Epoch == 0 || at.Seq == 0:
		b.counts.Contradictions++
		b.wrong.addf("%v has no place in a log", m)
	case f.place == Place{}:
		f.place = at
	case f.place != at:
		b.counts.Contradictions++
		b.wrong.addf("%v stands at %v and at %v", m, f.place, at)
	}
}

// deliver notes what a reader got.
func (b *Book) deliver(e *Event) {
	b.counts.Delivered++
	m := e.Message
	r := b.reading(e.Reader, m.Room)
	got := r.from(m.Sender)
	if e.Reader == m.Sender && !b.hearsOwn[e.Reader] && !b.mayOwn[e.Reader] {
		b.counts.Contradictions++
		b.wrong.addf("%v came back to its sender", m)
	}
	if got.has(m.Number) {
		b.counts.Duplicated++
		b.wrong.addf("reader %d got %v twice, now at %v", e.Reader, m, e.Place)
		return
	}
	if m.Number < got.last {
		b.counts.Reordered++
		b.wrong.addf("reader %d got %v after number %d", e.Reader, m, got.last)
	}
	got.add(m.Number)
	f := b.fate(m)
	f.seen = true
	b.agree(f, m, e.Place)
	if why := r.advance(e.Place); why != "" {
		b.counts.Reordered++
		b.wrong.addf("reader %d got %v at %v: %s", e.Reader, m, e.Place, why)
	}
}

// advance moves a reader on. Its answer says what is wrong with the order, if anything is.
func (r *reading) advance(to Place) (wrong string) {
	switch {
	case to.Epoch == r.last.Epoch && to.Seq <= r.last.Seq:
		return fmt.Sprintf("it was at %d already", r.last.Seq)
	case r.past[to.Epoch]:
		return "that log was over"
	case to.Epoch != r.last.Epoch && r.last.Epoch != 0:
		r.past[r.last.Epoch] = true
	}
	r.last = to
	return ""
}

func (b *Book) reading(reader, room int) *reading {
	if b.rooms[room] == nil {
		b.rooms[room] = make(map[int]*reading)
	}
	r := b.rooms[room][reader]
	if r == nil {
		r = &reading{past: make(map[uint64]bool), got: make(map[int]*numbers)}
		b.rooms[room][reader] = r
	}
	return r
}

func (b *Book) fate(m Message) *fate {
	s := b.sent[stream{m.Sender, m.Room}]
	if s == nil {
		s = &sending{}
		b.sent[stream{m.Sender, m.Room}] = s
	}
	for len(s.fates) <= m.Number {
		s.fates = append(s.fates, fate{})
	}
	return &s.fates[m.Number]
}

func (r *reading) from(sender int) *numbers {
	n := r.got[sender]
	if n == nil {
		n = &numbers{}
		r.got[sender] = n
	}
	return n
}
