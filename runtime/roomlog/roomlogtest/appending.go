package roomlogtest

import (
	"context"
	"errors"
	"strconv"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

var appending = []test{
	{name: "a log that never had a message is empty and has an epoch", run: func(s *suite) {
		head := s.head(s.room)
		if head.Epoch == 0 || head.Seq != 0 || s.head(s.room) != head {
			s.Errorf("the head is %+v, then %+v", head, s.head(s.room))
		}
		for _, after := range []roomlog.Cursor{{}, head} {
			if page := s.read(s.room, after, roomlog.Limit{}); len(page.Records) > 0 || page.Gap != nil || page.Head != head {
				s.Errorf("after %+v: %+v", after, page)
			}
		}
	}},
	{name: "messages stand in the order in which they were appended, each linked to the one before", run: func(s *suite) {
		start := s.head(s.room)
		places := s.fill(250)
		prev := roomlog.Place{Epoch: start.Epoch}
		var payloads []string
		for i, place := range places {
			if place.Epoch != start.Epoch || place.Seq <= prev.Seq || place.PrevSeq != prev.Seq || place.Time.IsZero() {
				s.Fatalf("message %d is at %+v, the one before at %+v", i, place, prev)
			}
			prev = place
			payloads = append(payloads, strconv.Itoa(i))
		}
		s.wantRecords(s.all(s.room, start), places, payloads...)
		if head := s.head(s.room); head != at(prev) {
			s.Errorf("the head is %+v, want %+v", head, at(prev))
		}
	}},
	{name: "a record tells the session that sent it", run: func(s *suite) {
		s.append(numbered("a", "a", 1<<63+7, 1))
		s.append(message("b", "b"))
		records := s.all(s.room, roomlog.Cursor{})
		if records[0].Session != 1<<63+7 || records[1].Session != 0 {
			s.Errorf("the sessions are %d and %d", records[0].Session, records[1].Session)
		}
	}},
	{name: "a message for another log is not appended", run: func(s *suite) {
		m := message("a", "a")
		m.Epoch = s.head(s.room).Epoch
		first := s.append(m)
		m.Epoch++
		for _, key := range []string{"b", "a"} { // the epoch is looked at before the key
			m.Key = key
			_, err := s.engine.Append(s.Context(), s.room, m)
			s.wantError(err, roomlog.ErrOtherLog)
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{first}, "a")
	}},
	{name: "what is asked with a cancelled context fails and changes nothing", run: func(s *suite) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		first := s.append(message("a", "a"))
		_, appended := s.engine.Append(ctx, s.room, message("b", "b"))
		_, _, found := s.engine.Find(ctx, s.room, "a", message("a", "a").Hash)
		_, read := s.engine.Read(ctx, s.room, roomlog.Cursor{}, roomlog.Limit{})
		_, head := s.engine.Head(ctx, s.room)
		_, subscribed := s.engine.Subscribe(ctx, s.room, func(roomlog.Record) {})
		for i, err := range []error{appended, found, read, head, subscribed} {
			if err == nil {
				s.Errorf("call %d works", i)
			}
		}
		for _, decision := range []error{roomlog.ErrOtherLog, roomlog.ErrOtherPayload, roomlog.ErrTooLate, roomlog.ErrFull} {
			if errors.Is(appended, decision) {
				s.Errorf("append takes it for a decision: %v", appended)
			}
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{first}, "a")
	}},
	{name: "rooms know nothing of each other", run: func(s *suite) {
		one, two := s.appendTo("one", numbered("key", "1", 5, 9)), s.appendTo("two", numbered("key", "2", 5, 3))
		if one.PrevSeq != 0 || two.PrevSeq != 0 {
			s.Errorf("the first messages are at %+v and %+v", one, two)
		}
		s.wantRecords(s.all("one", roomlog.Cursor{}), []roomlog.Place{one}, "1")
		s.wantRecords(s.all("two", roomlog.Cursor{}), []roomlog.Place{two}, "2")
		if head := s.head("three"); head.Seq != 0 {
			s.Errorf("a room without a message ends at %+v", head)
		}
	}},
}
