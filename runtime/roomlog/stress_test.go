package roomlog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// In all rooms at once: appends, reads, finds, subscribers that come and go, logs that are lost, and limits so small that
// every append drops something of another room.
func TestWhateverIsDoneAtOnceEveryReaderSeesAnUnbrokenChainOrAGap(t *testing.T) {
	t.Parallel()
	l := newLog(t, roomlog.Retention{Messages: 20, Bytes: 4000, Age: 20 * time.Millisecond, DedupeWindow: 10 * time.Millisecond, TotalBytes: 9000})
	const rooms, workers, rounds = 5, 8, 1500
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			at := make(map[string]roomlog.Cursor)
			for round := range rounds {
				room := strconv.Itoa(random.IntN(rooms))
				switch random.IntN(12) {
				case 0:
					l.Forget(room)
				case 1:
					l.overhear(room, random.IntN(3))
				case 2, 3, 4:
					at[room] = l.readOn(room, at[room])
				default:
					m := roomlog.Message{
						Key: fmt.Sprint(worker, round), Session: uint64(worker), SendNumber: uint64(round + 1), Payload: make([]byte, random.IntN(500)),
					}
					if place, err := l.Append(t.Context(), room, m); err != nil || place.Duplicate {
						t.Errorf("append: %+v, %v", place, err)
					}
				}
			}
		})
	}
	all.Wait()
	kept := 0
	for room := range rooms {
		page, err := l.Read(t.Context(), strconv.Itoa(room), roomlog.Cursor{}, roomlog.Limit{})
		if err != nil {
			t.Error(err)
		}
		for _, record := range page.Records {
			kept += len(record.Payload) + 128
		}
	}
	if kept > 9000 {
		t.Errorf("%d bytes are kept", kept)
	}
}

// readOn reads after a cursor and tells what is wrong with the page.
func (l log) readOn(room string, after roomlog.Cursor) roomlog.Cursor {
	page, err := l.Read(l.Context(), room, after, roomlog.Limit{Messages: 5})
	if err != nil {
		l.Error(err)
		return after
	}
	if page.Gap == nil && after.Epoch != page.Head.Epoch && after != (roomlog.Cursor{}) {
		l.Errorf("after %+v: the head is %+v, and there is no gap", after, page.Head)
	}
	if page.Gap != nil {
		after = page.Gap.Next
	}
	after.Epoch = page.Head.Epoch
	for _, record := range page.Records {
		if record.Epoch != after.Epoch || record.PrevSeq != after.Seq || record.Seq <= after.Seq || record.Seq > page.Head.Seq {
			l.Errorf("%+v follows %+v, the head is %+v", record.Place, after, page.Head)
		}
		after.Seq = record.Seq
	}
	return after
}

// overhear subscribes, appends some messages, and sees to it that what is heard is a chain, its own messages among it.
func (l log) overhear(room string, messages int) {
	var (
		mu     sync.Mutex
		broken error
		heard  = make(map[roomlog.Cursor]bool)
		last   roomlog.Place
	)
	cancel, err := l.Subscribe(l.Context(), room, func(record roomlog.Record) {
		mu.Lock()
		defer mu.Unlock()
		if last.Epoch == record.Epoch && record.PrevSeq != last.Seq || last.Epoch != 0 && last.Epoch != record.Epoch && record.PrevSeq != 0 {
			broken = fmt.Errorf("%+v was heard after %+v", record.Place, last)
		}
		last = record.Place
		heard[roomlog.Cursor{Epoch: record.Epoch, Seq: record.Seq}] = true
	})
	for i := range messages {
		place, appended := l.Append(l.Context(), room, roomlog.Message{Key: fmt.Sprintf("%p %d", &mu, i)})
		mu.Lock()
		if !heard[roomlog.Cursor{Epoch: place.Epoch, Seq: place.Seq}] {
			broken = errors.Join(broken, fmt.Errorf("%+v was not heard", place))
		}
		mu.Unlock()
		err = errors.Join(err, appended)
	}
	cancel()
	mu.Lock()
	defer mu.Unlock()
	if err = errors.Join(err, broken); err != nil {
		l.Error(err)
	}
}
