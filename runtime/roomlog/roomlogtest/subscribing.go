package roomlogtest

import (
	"fmt"
	"strconv"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

var subscribing = []test{
	{name: "a subscriber hears what is appended from then on, in order", run: func(s *suite) {
		s.fill(3)
		one, two := s.listen(s.engine, s.room), s.listen(s.other, s.room)
		var first, last roomlog.Place
		for i := range 200 {
			last = s.append(numbered(fmt.Sprint("later ", i), strconv.Itoa(i), 7, uint64(i+1)))
			if i == 0 {
				first = last
			}
		}
		for _, l := range []listener{one, two} {
			records := s.catchUp(l, s.room, at(last))
			if records[0].Seq < first.Seq {
				s.Errorf("heard the message at %+v, which was appended before", records[0].Place)
			}
			if !s.config.LeavesOut && (len(records) != 200 || records[0].Seq != first.Seq) {
				s.Errorf("heard %d messages from %+v on, want 200 from %+v on", len(records), records[0].Place, first)
			}
			s.wantInLog(s.room, records)
			if l.beside.Load() {
				s.Error("a call began while another one was running")
			}
		}
	}},
	{name: "a repeat is not heard again, a refused message never", run: func(s *suite) {
		l := s.listen(s.engine, s.room)
		s.append(numbered("a", "a", 7, 5))
		if again, err := s.engine.Append(s.Context(), s.room, numbered("a", "a", 7, 5)); err != nil || !again.Duplicate {
			s.Errorf("the repeat: %+v, %v", again, err)
		}
		_, err := s.engine.Append(s.Context(), s.room, numbered("b", "b", 7, 4))
		s.wantError(err, roomlog.ErrTooLate)
		last := s.append(message("c", "c"))
		s.wantInLog(s.room, s.catchUp(l, s.room, at(last)))
	}},
	{name: "nothing is heard of other rooms", run: func(s *suite) {
		l := s.listen(s.engine, s.room)
		s.appendTo("other", message("a", "a"))
		last := s.append(message("b", "b"))
		s.wantInLog(s.room, s.catchUp(l, s.room, at(last)))
	}},
	{name: "what is appended after cancel is not heard", run: func(s *suite) {
		gone, stays := s.listen(s.engine, s.room), s.listen(s.engine, s.room)
		heard := s.append(message("a", "a"))
		s.catchUp(gone, s.room, at(heard))
		end := s.head(s.room)
		gone.cancel()
		gone.cancel()
		var last roomlog.Place
		for i := range 20 {
			last = s.append(message(fmt.Sprint("later ", i), "later"))
		}
		s.wantInLog(s.room, s.catchUp(stays, s.room, at(last)))
		if records := gone.all(); records[len(records)-1].Seq > end.Seq {
			s.Errorf("heard the message at %+v, cancelled at %+v", records[len(records)-1].Place, end)
		}
	}},
	{name: "one that subscribes again hears again, in between it reads", run: func(s *suite) {
		places := s.fill(2)
		l := s.listen(s.engine, s.room)
		l.cancel()
		missed := s.append(message("missed", "missed"))
		l = s.listen(s.engine, s.room)
		last := s.append(message("last", "last"))
		s.wantInLog(s.room, s.catchUp(l, s.room, at(last)))
		page := s.read(s.room, at(places[1]), roomlog.Limit{Messages: 2})
		s.wantRecords(page.Records, []roomlog.Place{missed, last}, "missed", "last")
	}},
	{name: "the subscription outlives the context it was made with", run: func(s *suite) {
		l := s.listenBriefly()
		last := s.append(message("a", "a"))
		s.wantInLog(s.room, s.catchUp(l, s.room, at(last)))
	}},
}
