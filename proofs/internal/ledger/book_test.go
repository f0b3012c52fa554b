package ledger_test

import (
	"strings"
	"testing"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
)

// The stories below have one room, 9, whose log is first 10 and then 20, sender 1, who is in it, and readers 2 and 3.
const (
	room       = 9
	old, newer = 10, 20
)

func message(number int) ledger.Message { return ledger.Message{Sender: 1, Room: room, Number: number} }

func sent(number int) ledger.Event { return ledger.Event{Kind: ledger.Sent, Message: message(number)} }

func receipt(number int, epoch, seq uint64) ledger.Event {
	return ledger.Event{Kind: ledger.Receipt, Message: message(number), Place: ledger.Place{Epoch: epoch, Seq: seq}}
}

func failed(kind ledger.Kind, number int) ledger.Event {
	return ledger.Event{Kind: kind, Message: message(number), Text: "why"}
}

func got(reader, number int, epoch, seq uint64) ledger.Event {
	e := receipt(number, epoch, seq)
	e.Kind, e.Reader = ledger.Delivered, reader
	return e
}

func told(reader int, epoch, after, nextEpoch, next uint64) ledger.Event {
	return ledger.Event{
		Kind: ledger.Told, Reader: reader, Message: ledger.Message{Room: room},
		Place: ledger.Place{Epoch: epoch, Seq: after}, Next: ledger.Place{Epoch: nextEpoch, Seq: next},
	}
}

func at(seq uint64) ledger.Place { return ledger.Place{Epoch: old, Seq: seq} }

func life(epoch uint64) ledger.Event {
	return ledger.Event{Kind: ledger.Life, Message: ledger.Message{Room: room}, Place: ledger.Place{Epoch: epoch}}
}

// whole is a story in which nothing is wrong.
func whole() []ledger.Event {
	return []ledger.Event{
		life(old),
		got(2, 1, old, 5), sent(1), receipt(1, old, 5), got(3, 1, old, 5),
		sent(2), receipt(2, old, 6), got(2, 2, old, 6), got(3, 2, old, 6),
	}
}

func TestABookCountsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more []ledger.Event
		want func(c *ledger.Counts) int
		says string
	}{
		"a delivery is missing": {
			more: []ledger.Event{sent(3), receipt(3, old, 7), got(2, 3, old, 7)},
			want: func(c *ledger.Counts) int { return c.Lost }, says: "reader 3 never got message 3",
		},
		"a delivery is missing, and the gap is before it": {
			more: []ledger.Event{sent(3), receipt(3, old, 7), got(2, 3, old, 7), told(3, old, 6, old, 7)},
			want: func(c *ledger.Counts) int { return c.Lost }, says: "reader 3 never got message 3",
		},
		"a delivery is missing, and the gap is behind it": {
			more: []ledger.Event{sent(3), receipt(3, old, 7), got(2, 3, old, 7), told(3, old, 7, newer, 1)},
			want: func(c *ledger.Counts) int { return c.Lost }, says: "reader 3 never got message 3",
		},
		"a delivery is missing, and the gap is another reader's": {
			more: []ledger.Event{sent(3), receipt(3, old, 7), got(2, 3, old, 7), told(2, old, 6, old, 9)},
			want: func(c *ledger.Counts) int { return c.Lost }, says: "reader 3 never got message 3",
		},
		"a gap that the session found by itself": {
			more: []ledger.Event{
				sent(3), receipt(3, old, 7), got(2, 3, old, 7),
				{Kind: ledger.Told, Reader: 3, Message: ledger.Message{Room: room}, Place: at(6), Next: at(8), Unsaid: true},
			},
			want: func(c *ledger.Counts) int { return c.Unsaid }, says: "reader 3 in room 9 found a gap by itself",
		},
		"a delivery comes twice": {
			more: []ledger.Event{got(2, 2, old, 6)},
			want: func(c *ledger.Counts) int { return c.Duplicated }, says: "reader 2 got message 2 of 1 in room 9 twice",
		},
		"a delivery comes twice, at another place": {
			more: []ledger.Event{got(2, 2, old, 7)},
			want: func(c *ledger.Counts) int { return c.Duplicated }, says: "twice",
		},
		"the sender's order is broken": {
			more: []ledger.Event{
				sent(3), sent(4), receipt(4, old, 7), receipt(3, old, 8),
				got(2, 4, old, 7), got(2, 3, old, 8), got(3, 4, old, 7), got(3, 3, old, 8),
			},
			want: func(c *ledger.Counts) int { return c.Reordered / 2 }, says: "message 3 of 1 in room 9 after number 4",
		},
		"a log that was over comes again": {
			more: []ledger.Event{
				sent(3), sent(4), receipt(3, newer, 1), receipt(4, old, 7),
				got(2, 3, newer, 1), got(2, 4, old, 7), got(3, 3, newer, 1), told(3, old, 6, newer, 1),
			},
			want: func(c *ledger.Counts) int { return c.Reordered }, says: "that log was over",
		},
		"what was certainly not delivered is": {
			more: []ledger.Event{sent(3), failed(ledger.Never, 3), got(2, 3, old, 7)},
			want: func(c *ledger.Counts) int { return c.Revived }, says: "its sender was told that it was not",
		},
		"a message has two places": {
			more: []ledger.Event{sent(3), receipt(3, old, 7), got(2, 3, old, 7), got(3, 3, old, 8)},
			want: func(c *ledger.Counts) int { return c.Contradictions }, says: "stands at {10 7} and at {10 8}",
		},
		"two messages have one place": {
			more: []ledger.Event{sent(3), receipt(3, old, 6), sent(4), failed(ledger.Maybe, 4), told(2, old, 5, old, 7), told(3, old, 5, old, 7)},
			want: func(c *ledger.Counts) int { return c.Contradictions }, says: "stand at the same place",
		},
		"nobody sent it": {
			more: []ledger.Event{got(2, 3, old, 7)},
			want: func(c *ledger.Counts) int { return c.Contradictions }, says: "nobody sent message 3",
		},
		"a sender hears itself": {
			more: []ledger.Event{got(1, 2, old, 6)},
			want: func(c *ledger.Counts) int { return c.Contradictions }, says: "came back to its sender",
		},
		"it was never answered": {
			more: []ledger.Event{sent(3), got(2, 3, old, 7), got(3, 3, old, 7)},
			want: func(c *ledger.Counts) int { return c.Unanswered }, says: "never answered",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audit := audit(append(whole(), c.more...))
			if got := c.want(&audit.Counts); got != 1 {
				t.Errorf("counted %d, want 1: %+v, %q", got, audit.Counts, audit.Wrong)
			}
			for _, whole := range []bool{false, true} {
				if err := audit.Err(whole); err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("Err(%t) says %v, want %q", whole, err, c.says)
				}
			}
		})
	}
}

func TestOnlyALostLogExcuses(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]ledger.Event{
		"a gap within a log":      {sent(3), receipt(3, old, 7), got(2, 3, old, 7), told(3, old, 6, old, 8)},
		"a gap to another log":    {life(newer), sent(3), receipt(3, old, 7), got(2, 3, old, 7), told(3, old, 6, newer, 1)},
		"a gap into another log":  {life(newer), sent(3), receipt(3, newer, 7), told(2, old, 6, newer, 8), told(3, old, 6, newer, 9)},
		"a log between two logs":  {life(15), life(newer), sent(3), receipt(3, 15, 7), told(2, old, 6, newer, 1), told(3, old, 6, newer, 1)},
		"it may be delivered":     {sent(3), failed(ledger.Maybe, 3), got(2, 3, old, 7)},
		"it is not delivered":     {sent(3), failed(ledger.Never, 3)},
		"the end of another log":  {life(newer), told(2, old, 6, newer, 1)},
		"a log without a message": {told(2, old, 6, 11, 1), told(2, 11, 0, newer, 1), life(newer)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audit := audit(append(whole(), more...))
			if err := audit.Err(false); err != nil {
				t.Error(err)
			}
			if err := audit.Err(true); err == nil {
				t.Error("the same is right where no log was lost")
			}
		})
	}
}

func TestALogThatIsNotBetweenExcusesNothing(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]ledger.Event{
		"later":   {life(newer), life(30), sent(3), receipt(3, 30, 7), told(2, old, 6, newer, 1), told(3, old, 6, newer, 1)},
		"unknown": {life(newer), sent(3), receipt(3, 30, 7), told(2, old, 6, newer, 1), told(3, old, 6, newer, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if audit := audit(append(whole(), more...)); audit.Lost != 2 {
				t.Errorf("%+v", audit.Counts)
			}
		})
	}
}

func TestABookWithNothingWrongSaysSo(t *testing.T) {
	t.Parallel()
	audit := audit(whole())
	if err := audit.Err(true); err != nil || audit.Sent != 2 || audit.Receipts != 2 || audit.Delivered != 4 {
		t.Errorf("%v, %+v", err, audit.Counts)
	}
}

func TestWhoHearsItselfMustHearAll(t *testing.T) {
	t.Parallel()
	book := ledger.NewBook()
	book.Reads(1, room)
	book.HearsOwn(1)
	book.Add(sent(1), receipt(1, old, 1), got(1, 1, old, 1), sent(2), receipt(2, old, 2))
	if unanswered, missing, delivered := book.Open(); unanswered != 0 || missing != 1 || delivered != 1 {
		t.Errorf("open: %d, %d, %d", unanswered, missing, delivered)
	}
	if audit := book.Audit(); audit.Lost != 1 {
		t.Errorf("%+v", audit.Counts)
	}
}

func TestAHurriedSenderMayFail(t *testing.T) {
	t.Parallel()
	book := ledger.NewBook()
	book.Hurries(1, room)
	book.Add(sent(1), failed(ledger.Maybe, 1), sent(2))
	if unanswered, _, _ := book.Open(); unanswered != 1 {
		t.Errorf("%d are open", unanswered)
	}
	book.Add(failed(ledger.Never, 2))
	if err := book.Audit().Err(true); err != nil {
		t.Error(err)
	}
}

func TestWhoLeavesIsOwedNothing(t *testing.T) {
	t.Parallel()
	book := ledger.NewBook()
	book.Reads(2, room)
	book.Leaves(2, room)
	book.Add(sent(1), receipt(1, old, 1))
	if err := book.Audit().Err(true); err != nil {
		t.Error(err)
	}
	book.Add(got(2, 1, old, 1), got(2, 1, old, 1))
	if audit := book.Audit(); audit.Duplicated != 1 {
		t.Errorf("%+v", audit.Counts)
	}
}

func TestWhoStartsAgainGetsTheRestOnceMore(t *testing.T) {
	t.Parallel()
	again := func(more ...ledger.Event) *ledger.Audit {
		book := ledger.NewBook()
		book.Reads(2, room)
		book.Reads(3, room)
		book.Add(whole()...)
		book.Rewinds(2, room, ledger.Place{Epoch: old, Seq: 5})
		book.Add(more...)
		return book.Audit()
	}
	if err := again(got(2, 2, old, 6)).Err(true); err != nil {
		t.Error(err)
	}
	if audit := again(); audit.Lost != 1 {
		t.Errorf("nothing came once more: %+v", audit.Counts)
	}
	if audit := again(got(2, 1, old, 5), got(2, 2, old, 6)); audit.Duplicated != 1 {
		t.Errorf("too much came once more: %+v", audit.Counts)
	}
}

func TestATextSaysWhichMessageItIs(t *testing.T) {
	t.Parallel()
	want := ledger.Message{Sender: 12, Room: 3, Number: 456}
	for _, size := range []int{0, 5, 11, 12, 500} {
		text := want.Text(size)
		if m, err := ledger.ParseText(text); m != want || err != nil || len(text) < size {
			t.Errorf("%q reads as %v, %v", text, m, err)
		}
	}
	if _, err := ledger.ParseText("hello"); err == nil {
		t.Error("any text is a message")
	}
}

func audit(events []ledger.Event) *ledger.Audit {
	book := ledger.NewBook()
	for _, reader := range []int{1, 2, 3} {
		book.Reads(reader, room)
	}
	book.Add(events...)
	return book.Audit()
}
