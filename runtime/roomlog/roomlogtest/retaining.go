package roomlogtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// short is an age and a dedupe window that a test can wait for.
const short = time.Second

var retaining = []limitTest{
	{needs: func(without Limits) bool { return without.Messages }, test: test{
		name: "a room has no more messages than it may have, and a reader is told what it does not get",
		keep: roomlog.Retention{Messages: 10},
		run: func(s *suite) {
			places := s.fill(25)
			s.wantSuffix(places, func(kept []roomlog.Record) bool { return len(kept) <= 10 })
			if other := s.appendTo("other", message("a", "a")); s.all("other", roomlog.Cursor{})[0].Seq != other.Seq {
				s.Error("another room has nothing")
			}
		},
	}},
	{needs: func(without Limits) bool { return without.Bytes }, test: test{
		name: "a room has no more bytes than it may have, and a reader is told what it does not get",
		keep: roomlog.Retention{Bytes: 64 << 10},
		run: func(s *suite) {
			var places []roomlog.Place
			for i := range 40 {
				places = append(places, s.append(message(strconv.Itoa(i), strings.Repeat("x", 4<<10))))
			}
			s.wantSuffix(places, func(kept []roomlog.Record) bool { return len(kept) <= 16 })
		},
	}},
	{needs: func(without Limits) bool { return without.TotalBytes }, test: test{
		name: "all rooms together have no more bytes than they may have, and the oldest messages go",
		keep: roomlog.Retention{TotalBytes: 256 << 10},
		run:  totalBytes,
	}},
	{needs: func(without Limits) bool { return without.Messages }, test: test{
		name: "a repeat is known although its message is gone",
		keep: roomlog.Retention{Messages: 2},
		run: func(s *suite) {
			first := s.append(numbered("first", "first", 7, 1))
			s.fill(5)
			again, err := s.engine.Append(s.Context(), s.room, numbered("first", "first", 7, 1))
			if err != nil || !again.Duplicate || !samePlace(again, first) {
				s.Errorf("the repeat is at %+v, %v; the first one at %+v", again, err, first)
			}
			place, found, err := s.engine.Find(s.Context(), s.room, "first", message("", "first").Hash)
			if err != nil || !found || !samePlace(place, first) {
				s.Errorf("found %v at %+v, %v; it was at %+v", found, place, err, first)
			}
			_, err = s.engine.Append(s.Context(), s.room, numbered("zero", "zero", 7, 1))
			s.wantError(err, roomlog.ErrTooLate)
		},
	}},
	{needs: func(without Limits) bool { return without.Age }, test: test{
		name: "what is too old goes, from the log of an idle room too",
		keep: roomlog.Retention{Age: short},
		run: func(s *suite) {
			last := s.fill(3)[2]
			s.await("the messages to go", func() bool {
				page := s.read(s.room, roomlog.Cursor{}, roomlog.Limit{})
				return len(page.Records) == 0
			})
			head := s.head(s.room)
			if head != at(last) {
				s.Fatalf("the head is %+v, want %+v", head, at(last))
			}
			s.wantGap(s.read(s.room, roomlog.Cursor{Epoch: head.Epoch}, roomlog.Limit{}), roomlog.GapRetention, head)
			s.wantGap(s.read(s.room, roomlog.Cursor{}, roomlog.Limit{}), roomlog.GapRetention, head)
			if page := s.read(s.room, head, roomlog.Limit{}); page.Gap != nil {
				s.Errorf("at the head there is the gap %+v", *page.Gap)
			}
			if next := s.append(message("next", "next")); next.PrevSeq != last.Seq {
				s.Errorf("the next message is at %+v, the last one at %+v", next, last)
			}
		},
	}},
	{needs: func(without Limits) bool { return without.DedupeWindow }, test: test{
		name: "a key is forgotten some time after the dedupe window, never within it",
		keep: roomlog.Retention{DedupeWindow: short},
		run:  dedupeWindow,
	}},
}

// wantSuffix sees to it that the room has the newest of the messages that were put there, and tells about the others.
func (s *suite) wantSuffix(places []roomlog.Place, allowed func(kept []roomlog.Record) bool) {
	s.Helper()
	epoch := places[0].Epoch
	page := s.read(s.room, roomlog.Cursor{}, roomlog.Limit{})
	if len(page.Records) == 0 || !allowed(page.Records) {
		s.Fatalf("%d messages are kept", len(page.Records))
	}
	gone := len(places) - len(page.Records)
	for i, record := range page.Records {
		if !samePlace(record.Place, places[gone+i]) {
			s.Fatalf("record %d is at %+v, want %+v", i, record.Place, places[gone+i])
		}
	}
	start := at(places[gone-1])
	for _, after := range []roomlog.Cursor{{}, {Epoch: epoch}, at(places[0]), {Epoch: epoch, Seq: start.Seq - 1}} {
		page := s.read(s.room, after, roomlog.Limit{Messages: 1})
		s.wantGap(page, roomlog.GapRetention, start)
		if len(page.Records) != 1 || page.Records[0].PrevSeq != start.Seq {
			s.Errorf("after the gap comes %+v", page.Records)
		}
	}
	s.wantGap(s.read(s.room, roomlog.Cursor{Epoch: epoch + 1, Seq: start.Seq}, roomlog.Limit{}), roomlog.GapOtherLog, start)
	if page := s.read(s.room, start, roomlog.Limit{}); page.Gap != nil || len(page.Records) != len(places)-gone {
		s.Errorf("right before the first message: %+v", page)
	}
}

func totalBytes(s *suite) {
	const size, rooms, rounds = 4 << 10, 4, 40
	var order []string // room and number, in the order of appending
	for round := range rounds {
		for r := range rooms {
			room := fmt.Sprint("room ", r)
			s.appendTo(room, message(strconv.Itoa(round), strings.Repeat("x", size)))
			order = append(order, room)
		}
	}
	kept := 0
	left := make(map[string]int)
	for r := range rooms {
		room := fmt.Sprint("room ", r)
		left[room] = len(s.read(room, roomlog.Cursor{}, roomlog.Limit{}).Records)
		kept += left[room]
	}
	if kept == 0 || kept*size > 256<<10 {
		s.Fatalf("%d messages are kept", kept)
	}
	want := make(map[string]int)
	for _, room := range order[len(order)-kept:] {
		want[room]++
	}
	for room, n := range want {
		if left[room] != n {
			s.Errorf("%q has %d messages, %d are among the newest of all", room, left[room], n)
		}
	}
}

func dedupeWindow(s *suite) {
	window := s.engine.DedupeWindow()
	if window < short {
		s.Errorf("the engine remembers keys for %v, asked for %v", window, short)
	}
	m := numbered("a", "a", 7, 5)
	first := s.append(m)
	began := time.Now() // at least since then it is remembered
	s.await("the key to be forgotten", func() bool {
		_, found, err := s.engine.Find(s.Context(), s.room, m.Key, m.Hash)
		if err != nil {
			s.Fatalf("find: %v", err)
		}
		return !found
	})
	if after := time.Since(began); after < window-short/10 { // first.Time is a little before began
		s.Errorf("the key was forgotten after %v", after)
	}
	again := s.append(numbered("a", "another", 7, 3)) // nor is the send number remembered
	if again.PrevSeq != first.Seq {
		s.Errorf("the second message is at %+v, the first one at %+v", again, first)
	}
}
