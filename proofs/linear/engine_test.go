package linear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

const (
	room    = "room"
	workers = 6
	opsEach = 40
	keys    = 60
)

// history collects operations.
type history struct {
	start time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) add(worker int, in *input, called int64, out *output) {
	returned := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: worker, Input: in, Call: called, Output: out, Return: returned})
}

func TestTheMemoryEngineIsLinearizable(t *testing.T) {
	t.Parallel()
	for range *rounds {
		ops := exercise(t, roomlog.NewMemory(roomlog.Retention{}))
		if result := verdict(ops); result != porcupine.Ok {
			t.Fatalf("%s: %s", result, describe(ops))
		}
	}
}

func TestAPlantedFaultIsRejected(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(e *planted){
		"a repeat is appended":      func(e *planted) { e.forgets = true },
		"a read is late":            func(e *planted) { e.stale = true },
		"two places change hands":   func(e *planted) { e.swaps = true },
		"a message is not kept":     func(e *planted) { e.loses = true },
		"the head runs ahead":       func(e *planted) { e.ahead = true },
		"another payload is a hit":  func(e *planted) { e.blind = true },
		"a read leaves a hole":      func(e *planted) { e.hole = true },
		"a late send is taken late": func(e *planted) { e.late = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := &planted{Memory: roomlog.NewMemory(roomlog.Retention{})}
			plant(engine)
			ops := exercise(t, engine)
			if result := verdict(ops); result != porcupine.Illegal {
				t.Errorf("%s, and %d faults: %s", result, engine.faults, describe(ops))
			}
		})
	}
}

// exercise lets workers do everything at once.
func exercise(t *testing.T, engine roomlog.Engine) []porcupine.Operation {
	t.Helper()
	h := &history{start: time.Now()}
	var running sync.WaitGroup
	begin := make(chan struct{})
	for worker := range workers {
		running.Go(func() {
			<-begin
			var number uint64
			for range opsEach {
				time.Sleep(rand.N(20 * time.Microsecond)) // so that they meet, in many ways
				if err := h.operate(t.Context(), engine, worker, &number); err != nil {
					t.Error(err)
				}
			}
		})
	}
	close(begin)
	running.Wait()
	return h.ops
}

// operate does one thing.
func (h *history) operate(ctx context.Context, engine roomlog.Engine, worker int, number *uint64) error {
	switch rand.IntN(4) {
	case 0:
		in := &input{op: opRead, limit: 1 + rand.IntN(keys)}
		called := h.now()
		head, err := engine.Head(ctx, room)
		if err != nil {
			return err
		}
		h.add(worker, &input{op: opHead}, called, &output{head: head.Seq})
		in.after = uint64(rand.Int64N(int64(head.Seq) + 1))
		called = h.now()
		page, err := engine.Read(ctx, room, roomlog.Cursor{Epoch: head.Epoch, Seq: in.after}, roomlog.Limit{Messages: in.limit})
		if err != nil || page.Gap != nil {
			return fmt.Errorf("a read: %+v, %w", page.Gap, err)
		}
		out := &output{head: page.Head.Seq}
		for _, r := range page.Records {
			out.records = append(out.records, record{key: string(r.Payload), seq: r.Seq, prev: r.PrevSeq})
		}
		h.add(worker, in, called, out)
		return nil
	default:
		*number++
		in := &input{
			op: opAppend, key: fmt.Sprint("key ", rand.IntN(keys)), hash: roomlog.Hash{byte(rand.IntN(20) / 19)},
			sender: uint64(worker + 1), number: *number - uint64(rand.IntN(4)/3),
		}
		called := h.now()
		place, err := engine.Append(ctx, room, roomlog.Message{
			Key: in.key, Hash: in.hash, Session: in.sender, SendNumber: in.number, Payload: []byte(in.key),
		})
		out := &output{place: place, failure: err}
		if err != nil && !errors.Is(err, roomlog.ErrOtherPayload) && !errors.Is(err, roomlog.ErrTooLate) {
			return err
		}
		h.add(worker, in, called, out)
		return nil
	}
}

// planted is an engine with a fault, one call in a few.
type planted struct {
	*roomlog.Memory

	forgets, stale, swaps, loses, ahead, blind, hole, late bool

	mu     sync.Mutex
	last   roomlog.Place
	faults int
}

// now tells whether the fault shows.
func (e *planted) now(on bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !on || rand.IntN(5) != 0 {
		return false
	}
	e.faults++
	return true
}

// Append is the engine's, with faults.
func (e *planted) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	switch {
	case e.now(e.forgets):
		m.Key += " again"
		m.SendNumber = 0
	case e.now(e.loses):
		e.mu.Lock()
		defer e.mu.Unlock()
		head, err := e.Memory.Head(ctx, room)
		return roomlog.Place{Epoch: head.Epoch, Seq: head.Seq + 1, PrevSeq: head.Seq}, err
	case e.blind:
		m.Hash = roomlog.Hash{}
	case e.late:
		m.SendNumber = 0
	}
	place, err := e.Memory.Append(ctx, room, m)
	if err == nil && e.now(e.swaps) {
		e.mu.Lock()
		defer e.mu.Unlock()
		place, e.last = e.last, place
	}
	return place, err
}

// Head is the engine's, with faults.
func (e *planted) Head(ctx context.Context, room string) (roomlog.Cursor, error) {
	head, err := e.Memory.Head(ctx, room)
	if e.now(e.ahead) {
		head.Seq++
	}
	return head, err
}

// Read is the engine's, with faults.
func (e *planted) Read(
	ctx context.Context, room string, after roomlog.Cursor, limit roomlog.Limit,
) (roomlog.Page, error) {
	if e.ahead { // that of Head is enough
		after.Seq = 0
	}
	page, err := e.Memory.Read(ctx, room, after, limit)
	switch n := len(page.Records); {
	case n > 0 && page.Head.Seq == page.Records[n-1].Seq && e.now(e.stale):
		page.Head.Seq = page.Records[n-1].PrevSeq
		page.Records = page.Records[:n-1]
	case n > 2 && e.now(e.hole):
		page.Records = append(page.Records[:n-2:n-2], page.Records[n-1])
	}
	return page, err
}
