package ledger

import (
	"fmt"
	"strings"
)

// Counts is what an audit has counted.
type Counts struct {
	Sent     int // messages that sessions were given
	Receipts int // of them: the log has it
	Maybe    int // of them: given up, may have been delivered
	Never    int // of them: certainly not delivered

	Delivered int // calls of handlers, all readers together
	Gaps      int // gaps told, all readers together

	// What must be 0 always.

	Lost           int // deliveries that are missing: receipted, not in a gap told to that reader
	Duplicated     int // deliveries of what that reader had
	Reordered      int // deliveries out of the sender's order, or of the log's
	Revived        int // messages that were delivered though their sender was told that they certainly were not
	Contradictions int // messages with two places, places with two messages, deliveries of what nobody sent
	Unanswered     int // sends without a result at the end
	Unsaid         int // gaps that servers did not tell

	// What must be 0 where no log was lost.

	Missing int // deliveries that a told gap excuses
	Failed  int // sends without a receipt of senders that wait as long as it takes
}

// Audit is the result of a book.
type Audit struct {
	Counts

	// Wrong has examples of what must not be.
	Wrong []string
	// Errors has examples of failed sends and of gaps, which are wrong where no log was lost.
	Errors []string
}

// Err says whether the contract was kept. Whole says that no log was lost or cut: then there must be no gap, and no send
// may fail.
func (a *Audit) Err(whole bool) error {
	c := a.Counts
	bad := c.Lost + c.Duplicated + c.Reordered + c.Revived + c.Contradictions + c.Unanswered + c.Unsaid
	lines := a.Wrong
	if whole {
		bad += c.Gaps + c.Missing + c.Failed
		lines = append(lines, a.Errors...)
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("the contract is broken: %+v\n  %s", c, strings.Join(lines, "\n  "))
}

// Open counts what may still come: sends without a result, and deliveries that are missing so far.
func (b *Book) Open() (unanswered, missing, delivered int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s, sending := range b.sent {
		for number := range sending.fates {
			if f := &sending.fates[number]; f.sent && f.outcome == 0 {
				unanswered++
			} else if f.outcome == Receipt {
				missing += b.missing(Message{s.sender, s.room, number}, f, nil)
			}
		}
	}
	return unanswered, missing, b.counts.Delivered
}

// Audit counts what came of everything. Call it when nothing happens any more.
func (b *Book) Audit() *Audit {
	b.mu.Lock()
	defer b.mu.Unlock()
	audit := &Audit{Counts: b.counts, Wrong: b.wrong.lines, Errors: b.errors.lines}
	wrong := examples{lines: audit.Wrong}
	taken := make(map[int]map[Place]Message)
	for s, sending := range b.sent {
		if taken[s.room] == nil {
			taken[s.room] = make(map[Place]Message)
		}
		for number := range sending.fates {
			b.auditMessage(audit, &wrong, taken[s.room], Message{s.sender, s.room, number}, &sending.fates[number])
		}
	}
	audit.Wrong = wrong.lines
	return audit
}

func (b *Book) auditMessage(audit *Audit, wrong *examples, taken map[Place]Message, m Message, f *fate) {
	switch {
	case m.Number == 0:
		return
	case !f.sent && (f.seen || f.outcome != 0):
		audit.Contradictions++
		wrong.addf("nobody sent %v", m)
	case f.sent && f.outcome == 0:
		audit.Unanswered++
		wrong.addf("%v was never answered", m)
	case f.outcome == Never && f.seen:
		audit.Revived++
		wrong.addf("%v was delivered, and its sender was told that it was not", m)
	case f.outcome == Receipt:
		audit.Lost += b.missing(m, f, wrong)
		audit.Missing += b.excused(m, f)
	}
	if f.place == (Place{}) {
		return
	}
	if other, is := taken[f.place]; is {
		audit.Contradictions++
		wrong.addf("%v and %v stand at the same place, %v", m, other, f.place)
	}
	taken[f.place] = m
}

// missing counts the readers who should have got a message, did not, and were told of no gap around it.
func (b *Book) missing(m Message, f *fate, wrong *examples) (lost int) {
	for reader, r := range b.rooms[m.Room] {
		if !b.lacks(reader, r, m) || b.inGap(r, m.Room, f.place) {
			continue
		}
		lost++
		if wrong != nil {
			wrong.addf("reader %d never got %v, at %v", reader, m, f.place)
		}
	}
	return lost
}

// excused counts the readers who did not get a message and were told so.
func (b *Book) excused(m Message, f *fate) (missing int) {
	for reader, r := range b.rooms[m.Room] {
		if b.lacks(reader, r, m) && b.inGap(r, m.Room, f.place) {
			missing++
		}
	}
	return missing
}

func (b *Book) lacks(reader int, r *reading, m Message) bool {
	if !r.owed || reader == m.Sender && !b.hearsOwn[reader] {
		return false
	}
	got := r.got[m.Sender]
	return got == nil || !got.has(m.Number)
}

// inGap tells whether a reader was told that it would not get what stands at a place.
func (b *Book) inGap(r *reading, room int, at Place) bool {
	lives := b.lives[room]
	life, known := lives[at.Epoch]
	for _, g := range r.gaps {
		after := at.Epoch != g.after.Epoch || at.Seq > g.after.Seq
		before := at.Epoch != g.next.Epoch || at.Seq < g.next.Seq
		if !after || !before {
			continue
		}
		if at.Epoch == g.after.Epoch || at.Epoch == g.next.Epoch {
			return true
		}
		from, knowsFrom := lives[g.after.Epoch]
		to, knowsTo := lives[g.next.Epoch]
		// An epoch that no server told of never had a message: what is after nothing, or before it, is not bounded there.
		if known && (!knowsFrom || from < life) && (!knowsTo || life < to) && (knowsFrom || knowsTo) {
			return true
		}
	}
	return false
}

// examples keeps the first lines of many.
type examples struct{ lines []string }

const maxExamples = 20

func (e *examples) addf(format string, args ...any) {
	if len(e.lines) < maxExamples {
		e.lines = append(e.lines, fmt.Sprintf(format, args...))
	}
}
