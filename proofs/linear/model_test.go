package linear_test

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// input is what was asked of the log.
type input struct {
	op     string // append, send, read, head
	key    string
	hash   roomlog.Hash
	sender uint64
	number uint64
	after  uint64
	limit  int
}

// The operations. A send is an append that may have been tried several times.
const (
	opAppend = "append"
	opSend   = "send"
	opRead   = "read"
	opHead   = "head"
)

// output is what the log said.
type output struct {
	place   roomlog.Place
	failure error // a sentinel
	records []record
	head    uint64
}

// record is a message of the list.
type record struct {
	key       string
	seq, prev uint64
	hash      roomlog.Hash // not compared with what is read
}

// list is the model's state. It is never changed.
type list struct {
	records []record
	numbers map[uint64]uint64 // by sender
}

func (l *list) last() uint64 {
	if len(l.records) == 0 {
		return 0
	}
	return l.records[len(l.records)-1].seq
}

func (l *list) find(key string) *record {
	i := slices.IndexFunc(l.records, func(r record) bool { return r.key == key })
	if i < 0 {
		return nil
	}
	return &l.records[i]
}

func (l *list) with(in *input, place roomlog.Place) *list {
	next := &list{records: append(slices.Clip(l.records), record{in.key, place.Seq, place.PrevSeq, in.hash})}
	next.numbers = make(map[uint64]uint64, len(l.numbers)+1)
	maps.Copy(next.numbers, l.numbers)
	if in.number > 0 {
		next.numbers[in.sender] = in.number
	}
	return next
}

// step is the plain log.
func step(state *list, in *input, out *output) (bool, *list) {
	switch in.op {
	case opHead:
		return out.head == state.last(), state
	case opRead:
		return slices.EqualFunc(out.records, state.after(in), sameRecord) && out.head == state.last(), state
	}
	found := state.find(in.key)
	late := in.number > 0 && in.number <= state.numbers[in.sender]
	switch {
	case out.failure == roomlog.ErrOtherPayload: //nolint:errorlint // the checker's own
		return found != nil && found.hash != in.hash, state
	case out.failure == roomlog.ErrTooLate: //nolint:errorlint // the checker's own
		return found == nil && late, state
	case found != nil:
		same := found.hash == in.hash && found.seq == out.place.Seq && (in.op == opSend || found.prev == out.place.PrevSeq)
		return same && out.place.Duplicate, state
	case late, out.place.Duplicate && in.op == opAppend, out.place.Seq <= state.last():
		return false, state
	case in.op == opAppend && out.place.PrevSeq != state.last():
		return false, state
	}
	place := out.place
	place.PrevSeq = state.last()
	return true, state.with(in, place)
}

// after is what a read gives.
func (l *list) after(in *input) []record {
	i := slices.IndexFunc(l.records, func(r record) bool { return r.seq > in.after })
	if i < 0 {
		return nil
	}
	rest := l.records[i:]
	return rest[:min(in.limit, len(rest))]
}

func sameRecord(a, b record) bool { return a.key == b.key && a.seq == b.seq && a.prev == b.prev }

// plainLog is the model as porcupine wants it.
func plainLog() porcupine.Model {
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Init: func() any { return &list{} },
		Step: func(state, in, out any) (bool, any) {
			return step(state.(*list), in.(*input), out.(*output)) //nolint:forcetypeassert // the model's own
		},
		Equal: func(a, b any) bool {
			return slices.Equal(a.(*list).records, b.(*list).records) //nolint:forcetypeassert // the model's own
		},
		Hash: func(state any) uint64 {
			var hash maphash.Hash
			hash.SetSeed(seed)
			for _, r := range state.(*list).records { //nolint:forcetypeassert // the model's own
				_, _ = hash.WriteString(r.key)
			}
			return hash.Sum64()
		},
	}
}

// verdict checks a history.
func verdict(history []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(plainLog(), history, time.Minute)
}

// describe is the beginning of a history, for people.
func describe(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var text strings.Builder
	for _, op := range history[:min(len(history), 60)] {
		in, out := op.Input.(*input), op.Output.(*output) //nolint:forcetypeassert // the model's own
		fmt.Fprintf(&text, "\n%d: [%d %d] %+v → %d after %d (duplicate %t), %v, records %v, head %d", op.ClientId, op.Call, op.Return,
			*in, out.place.Seq, out.place.PrevSeq, out.place.Duplicate, out.failure, out.records, out.head)
	}
	return text.String()
}
