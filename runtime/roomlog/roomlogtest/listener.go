package roomlogtest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// listener is a subscriber that keeps what it hears.
type listener struct {
	*heard

	s      *suite
	cancel func()
}

type heard struct {
	mu      sync.Mutex
	records []roomlog.Record
	running atomic.Int32
	beside  atomic.Bool // a call began while another one was running
}

func (s *suite) listen(engine roomlog.Engine, room string) listener {
	s.Helper()
	h := &heard{}
	cancel, err := engine.Subscribe(s.Context(), room, h.hear)
	if err != nil {
		s.Fatalf("subscribe to %q: %v", room, err)
	}
	s.Cleanup(cancel)
	return listener{heard: h, s: s, cancel: cancel}
}

// listenBriefly subscribes with a context that has ended when it returns.
func (s *suite) listenBriefly() listener {
	s.Helper()
	h := &heard{}
	ctx, cancel := context.WithCancel(s.Context())
	unsubscribe, err := s.engine.Subscribe(ctx, s.room, h.hear)
	cancel()
	if err != nil {
		s.Fatalf("subscribe to %q: %v", s.room, err)
	}
	s.Cleanup(unsubscribe)
	return listener{heard: h, s: s, cancel: unsubscribe}
}

func (h *heard) hear(record roomlog.Record) {
	if h.running.Add(1) > 1 {
		h.beside.Store(true)
	}
	runtime.Gosched() // gives a call that should not be there the time to show
	h.mu.Lock()
	h.records = append(h.records, record)
	h.mu.Unlock()
	h.running.Add(-1)
}

func (h *heard) all() []roomlog.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.records)
}

// upTo tells whether the listener has heard the message before a cursor, or one behind it.
func (h *heard) upTo(to roomlog.Cursor) bool {
	records := h.all()
	return len(records) > 0 && records[len(records)-1].Epoch == to.Epoch && records[len(records)-1].Seq >= to.Seq
}

// catchUp waits until l has heard everything up to a cursor. An engine that leaves out messages may have left out the last
// ones, so more are appended until one arrives. It gives what was heard.
func (s *suite) catchUp(l listener, room string, to roomlog.Cursor) []roomlog.Record {
	s.Helper()
	next := time.Now().Add(nudge)
	s.await(fmt.Sprintf("what is before %+v of %q to be heard", to, room), func() bool {
		if s.config.LeavesOut && time.Now().After(next) {
			key := fmt.Sprint("catch up ", time.Now().UnixNano())
			s.appendTo(room, message(key, key))
			next = time.Now().Add(nudge)
		}
		return l.upTo(to)
	})
	return l.all()
}

// nudge is how long a subscriber that may miss messages is waited for.
const nudge = 300 * time.Millisecond

// wantOnly waits for what was appended as the room's only message.
func (l listener) wantOnly(room string, place roomlog.Place) {
	l.s.Helper()
	records := l.s.catchUp(l, room, at(place))
	if l.s.config.LeavesOut {
		l.s.wantInLog(room, records)
		return
	}
	if len(records) != 1 || !samePlace(records[0].Place, place) {
		l.s.Errorf("heard %d messages of %q, the first at %+v; want the one at %+v", len(records), room, records[0].Place, place)
	}
}

// wantInLog sees to it that what was heard is in the log just so, in order, none of it twice. What was left out is
// found by the chain; only an engine that says so may leave something out.
func (s *suite) wantInLog(room string, records []roomlog.Record) {
	s.Helper()
	if len(records) == 0 {
		return
	}
	log := s.all(room, before(records[0].Place))
	for i, record := range records {
		for s.config.LeavesOut && len(log) > 0 && log[0].Seq < record.Seq {
			log = log[1:]
		}
		if len(log) == 0 || !sameRecord(log[0], record) {
			s.Fatalf("heard, as number %d of %q, the message at %+v, which is not the log's next", i, room, record.Place)
		}
		log = log[1:]
	}
}

func sameRecord(a, b roomlog.Record) bool {
	return samePlace(a.Place, b.Place) && a.Session == b.Session && string(a.Payload) == string(b.Payload)
}
