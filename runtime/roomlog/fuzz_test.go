package roomlog_test

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// FuzzMemory makes the engine and a naive model do the same and compares what they say. Each step is an operation and what
// it takes from the bytes that follow.
func FuzzMemory(f *testing.F) {
	for seed := range byte(40) {
		steps := make([]byte, 2000)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(steps) // never fails
		f.Add(steps)
	}
	f.Add([]byte{
		0, 0, 1, 0, 1, 1, 0, 9, 0, 0, 1, 0, 1, 1, 0, 9, 0, 0, 2, 1, 1, 1, 0, 200, 2, 0, 1, 1, 3, 10, 5, 200, 2, 0, 1, 0, 3, 9,
		6, 0, 0, 0, 1, 0, 1, 1, 1, 9,
	})
	f.Fuzz(func(t *testing.T, steps []byte) {
		synctest.Test(t, func(t *testing.T) {
			keep := roomlog.Retention{
				Messages: 5, Bytes: 600, Age: 20 * time.Minute, DedupeWindow: 10 * time.Minute, TotalBytes: 3000, TotalKeys: 15,
			}
			r := race{
				log: newLog(t, keep), model: model{keep: keep, rooms: make(map[string]*modelRoom)}, steps: steps,
				heard: make(map[string][]roomlog.Record), want: make(map[string][]roomlog.Record), cancel: make(map[string]func()),
			}
			for len(r.steps) > 0 {
				r.step()
			}
		})
	})
}

// race is the engine and the model beside each other.
type race struct {
	log

	model       model
	steps       []byte
	heard, want map[string][]roomlog.Record // what a room's subscriber heard, and was to hear
	cancel      map[string]func()           // of rooms that have a subscriber
}

// next gives a number below n from the steps.
func (r *race) next(n int) int {
	if len(r.steps) == 0 {
		return 0
	}
	b := r.steps[0]
	r.steps = r.steps[1:]
	return int(b) % n
}

func (r *race) step() {
	operation := r.next(8)
	room := "room " + strconv.Itoa(r.next(3))
	r.enter(room)
	switch operation {
	case 0, 1:
		r.append(room)
	case 2:
		r.read(room)
	case 3:
		key, hash := r.key()
		place, found, err := r.Find(r.Context(), room, key, hash)
		if wantPlace, wantFound, wantErr := r.model.find(room, key, hash); place != wantPlace || found != wantFound || !sameError(err, wantErr) {
			r.Fatalf("found %+v, %v, %v; want %+v, %v, %v", place, found, err, wantPlace, wantFound, wantErr)
		}
	case 4:
		r.subscribe(room)
	case 5:
		unit := []time.Duration{0, time.Second, time.Second, 20 * time.Second}[r.next(4)]
		time.Sleep(time.Duration(r.next(256)) * unit)
	case 6:
		r.Forget(room)
		r.model.forget(room)
		r.model.rooms[room].head = r.fresh(room)
	case 7:
		if head := r.head(room); head != r.model.rooms[room].head {
			r.Fatalf("the head is %+v, want %+v", head, r.model.rooms[room].head)
		}
	}
}

// enter sees to it that a room is there for both, and is new to both or to none.
func (r *race) enter(room string) {
	there, isNew := r.model.settle(room)
	if isNew {
		there.head = r.fresh(room)
	} else if head := r.head(room); head != there.head {
		r.Fatalf("the log of %q is %+v, want %+v", room, head, there.head)
	}
}

// fresh gives the head of a log that has to be a new one.
func (r *race) fresh(room string) roomlog.Cursor {
	head := r.head(room)
	if head.Seq != 0 || head.Epoch == 0 || head.Epoch == r.model.rooms[room].head.Epoch {
		r.Fatalf("the new log of %q is %+v", room, head)
	}
	return head
}

func (r *race) key() (string, roomlog.Hash) {
	return strconv.Itoa(r.next(12)), roomlog.Hash{byte(r.next(8) / 7)}
}

func (r *race) append(room string) {
	key, hash := r.key()
	message := roomlog.Message{Key: key, Hash: hash, Session: uint64(r.next(3)), SendNumber: uint64(r.next(6))}
	if epoch := r.next(4); epoch > 1 {
		message.Epoch = r.model.rooms[room].head.Epoch + uint64(epoch-2)
	}
	message.Payload = make([]byte, r.next(256))
	before := r.model.rooms[room].head.Seq
	place, err := r.Append(r.Context(), room, message)
	wantPlace, wantErr := r.model.append(room, message)
	if place != wantPlace || !sameError(err, wantErr) {
		r.Fatalf("append %+v: %+v, %v; want %+v, %v", message, place, err, wantPlace, wantErr)
	}
	if r.cancel[room] != nil && r.model.rooms[room].head.Seq > before {
		r.want[room] = append(r.want[room], roomlog.Record{Place: place, Session: message.Session, Payload: message.Payload})
	}
	if !reflect.DeepEqual(r.heard[room], r.want[room]) {
		r.Fatalf("heard %+v, want %+v", r.heard[room], r.want[room])
	}
}

func (r *race) read(room string) {
	head := r.model.rooms[room].head
	after := roomlog.Cursor{Epoch: []uint64{head.Epoch, head.Epoch, 0, head.Epoch + 1}[r.next(4)], Seq: uint64(r.next(20))}
	limit := roomlog.Limit{Messages: r.next(7) - 1, Bytes: r.next(256)}
	page, err := r.Read(r.Context(), room, after, limit)
	if want := r.model.read(room, after, limit); err != nil || !reflect.DeepEqual(page, want) {
		r.Fatalf("read after %+v with %+v: %+v, %v; want %+v", after, limit, page, err, want)
	}
}

// subscribe subscribes, or cancels if there is a subscriber.
func (r *race) subscribe(room string) {
	cancel := r.cancel[room]
	r.model.rooms[room].subject = cancel == nil
	if cancel != nil {
		cancel()
		r.model.settle(room)
		delete(r.cancel, room)
		return
	}
	cancel, err := r.Subscribe(r.Context(), room, func(record roomlog.Record) {
		r.heard[room] = append(r.heard[room], record)
	})
	if err != nil {
		r.Fatal(err)
	}
	r.cancel[room] = cancel
}
