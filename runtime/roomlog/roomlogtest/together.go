package roomlogtest

import (
	"context"
	"fmt"
	"sync"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

const (
	manyRooms   = 3
	manySenders = 4  // of each room
	manySends   = 60 // of each sender
	manyReaders = 2  // of each room
)

var together = []test{
	{name: "many append to several rooms at once, and readers follow without a hole or a repeat", run: func(s *suite) {
		ctx, cancel := context.WithTimeout(s.Context(), s.config.Patience)
		defer cancel()
		var all sync.WaitGroup
		rooms := make([]*placed, manyRooms)
		for r := range rooms {
			room := fmt.Sprint("room ", r)
			rooms[r] = &placed{byKey: make(map[string]roomlog.Place)}
			for sender := range manySenders {
				engine := []roomlog.Engine{s.engine, s.other}[sender%2]
				all.Go(func() { s.send(ctx, engine, room, uint64(sender+1), rooms[r]) })
			}
			for reader := range manyReaders {
				engine := []roomlog.Engine{s.other, s.engine}[reader%2]
				all.Go(func() { s.follow(ctx, engine, room) })
			}
		}
		all.Wait()
		for r, places := range rooms {
			s.wantPlaced(fmt.Sprint("room ", r), places)
		}
	}},
	{name: "of many that append the same message at once one is the first", run: func(s *suite) {
		const many = 8
		places, errs := make([]roomlog.Place, many), make([]error, many)
		var all sync.WaitGroup
		for i := range many {
			engine := []roomlog.Engine{s.engine, s.other}[i%2]
			all.Go(func() { places[i], errs[i] = engine.Append(s.Context(), s.room, numbered("a", "a", 7, 1)) })
		}
		all.Wait()
		firsts := 0
		for i, place := range places {
			if errs[i] != nil || !samePlace(place, places[0]) {
				s.Errorf("append %d: %+v, %v", i, place, errs[i])
			}
			if !place.Duplicate {
				firsts++
			}
		}
		if firsts != 1 {
			s.Errorf("%d of them were the first", firsts)
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), places[:1], "a")
	}},
	{name: "subscribers hear in order, one call at a time, what many append at once", run: func(s *suite) {
		listeners := []listener{s.listen(s.engine, s.room), s.listen(s.other, s.room)}
		start := s.head(s.room)
		places := &placed{byKey: make(map[string]roomlog.Place)}
		var all sync.WaitGroup
		for sender := range manySenders {
			engine := []roomlog.Engine{s.engine, s.other}[sender%2]
			all.Go(func() { s.send(s.Context(), engine, s.room, uint64(sender+1), places) })
		}
		all.Wait()
		last := s.head(s.room)
		for _, l := range listeners {
			records := s.catchUp(l, s.room, last)
			s.wantInLog(s.room, records)
			if l.beside.Load() {
				s.Error("a call began while another one was running")
			}
			if !s.config.LeavesOut && before(records[0].Place) != start {
				s.Errorf("the first message heard is at %+v, want the one after %+v", records[0].Place, start)
			}
		}
	}},
	{name: "subscribers come and go while messages are appended", run: func(s *suite) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					cancel, err := s.engine.Subscribe(s.Context(), s.room, func(roomlog.Record) {})
					if err != nil {
						s.Errorf("subscribe: %v", err)
						return
					}
					cancel()
				}
			})
		}
		last := s.fill(100)[99]
		all.Wait()
		if head := s.head(s.room); head != at(last) {
			s.Errorf("the head is %+v, want %+v", head, at(last))
		}
	}},
}

// placed is where the messages of a room were put, as their senders were told.
type placed struct {
	mu    sync.Mutex
	byKey map[string]roomlog.Place
}

func (p *placed) put(key string, place roomlog.Place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byKey[key] = place
}

// send appends messages of one session, in order, every third one twice at once.
func (s *suite) send(ctx context.Context, engine roomlog.Engine, room string, session uint64, places *placed) {
	for i := range manySends {
		key := fmt.Sprint(session, " ", i+1)
		m := numbered(key, key, session, uint64(i+1))
		var again sync.WaitGroup
		if i%3 == 0 {
			again.Go(func() {
				if _, err := s.other.Append(ctx, room, m); err != nil {
					s.Errorf("append %q to %q twice: %v", key, room, err)
				}
			})
		}
		place, err := engine.Append(ctx, room, m)
		again.Wait()
		if err != nil {
			s.Errorf("append %q to %q: %v", key, room, err)
			return
		}
		places.put(key, place)
	}
}

// follow reads a room from its beginning to the end of what is sent, as a server does: by subscribing and by reading.
func (s *suite) follow(ctx context.Context, engine roomlog.Engine, room string) {
	got, err := followAll(ctx, engine, room, manySenders*manySends)
	if err != nil {
		s.Errorf("%q was followed up to message %d: %v", room, len(got), err)
		return
	}
	numbers := make(map[uint64]int)
	for _, record := range got {
		numbers[record.Session]++
		if want := fmt.Sprint(record.Session, " ", numbers[record.Session]); string(record.Payload) != want {
			s.Errorf("%q has %q where %q was to come", room, record.Payload, want)
			return
		}
	}
}

// wantPlaced sees to it that messages stand where their senders were told.
func (s *suite) wantPlaced(room string, places *placed) {
	s.Helper()
	records := s.all(room, roomlog.Cursor{})
	if len(records) != manySenders*manySends {
		s.Errorf("%q has %d messages, want %d", room, len(records), manySenders*manySends)
	}
	for _, record := range records {
		if place := places.byKey[string(record.Payload)]; !samePlace(place, record.Place) {
			s.Errorf("%q of %q is at %+v, its sender was told %+v", record.Payload, room, record.Place, place)
		}
	}
}
