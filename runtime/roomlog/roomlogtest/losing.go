package roomlogtest

import "github.com/game-im/im-grpc-sdk/runtime/roomlog"

var losing = []test{
	{name: "a lost log is another one to readers", run: func(s *suite) {
		last := s.fill(3)[2]
		other := s.appendTo("other", message("a", "a"))
		s.forget(s.room)
		head := s.head(s.room)
		if head.Epoch == 0 || head.Epoch == last.Epoch {
			s.Errorf("the epoch was %d and is %d", last.Epoch, head.Epoch)
		}
		for _, after := range []roomlog.Cursor{at(last), {Epoch: last.Epoch}} {
			page := s.read(s.room, after, roomlog.Limit{})
			if s.wantGap(page, roomlog.GapOtherLog, head); len(page.Records) > 0 {
				s.Errorf("there are still records: %+v", page.Records)
			}
		}
		s.wantRecords(s.all("other", roomlog.Cursor{}), []roomlog.Place{other}, "a")
	}},
	{name: "a message that was first sent to a lost log is refused", run: func(s *suite) {
		m := message("a", "a")
		m.Epoch = s.append(m).Epoch
		s.forget(s.room)
		_, err := s.engine.Append(s.Context(), s.room, m)
		s.wantError(err, roomlog.ErrOtherLog)
	}},
	{name: "what was known of sends is lost with the log", run: func(s *suite) {
		first := s.append(numbered("a", "a", 7, 5))
		s.forget(s.room)
		if _, found, err := s.engine.Find(s.Context(), s.room, "a", message("a", "a").Hash); found || err != nil {
			s.Errorf("found %v, %v", found, err)
		}
		again := s.append(numbered("a", "another", 7, 3))
		if again.Epoch == first.Epoch {
			s.Errorf("it is at %+v", again)
		}
		page := s.read(s.room, at(first), roomlog.Limit{})
		s.wantGap(page, roomlog.GapOtherLog, before(again))
		s.wantRecords(page.Records, []roomlog.Place{again}, "another")
	}},
	{name: "subscribers of a lost log hear the new one", run: func(s *suite) {
		l := s.listen(s.engine, s.room)
		first := s.append(message("a", "a"))
		s.catchUp(l, s.room, at(first))
		s.forget(s.room)
		place := s.append(message("b", "b"))
		heard := s.catchUp(l, s.room, at(place))
		for i, record := range heard {
			if i > 0 && record.Epoch != heard[i-1].Epoch {
				s.wantInLog(s.room, heard[i:])
			}
		}
	}},
}

func (s *suite) forget(room string) {
	s.Helper()
	engine, ok := s.engine.(forgetter)
	if !ok {
		s.Fatal("the engine has no method Forget")
	}
	engine.Forget(room)
}
