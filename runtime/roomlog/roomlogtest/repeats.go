package roomlogtest

import "github.com/game-im/im-grpc-sdk/runtime/roomlog"

var repeats = []test{
	{name: "a repeat gets the place of the first one and is not appended", run: func(s *suite) {
		first := s.append(message("a", "a"))
		last := s.append(message("b", "b"))
		for _, engine := range []roomlog.Engine{s.engine, s.other} {
			again, err := engine.Append(s.Context(), s.room, message("a", "a"))
			if err != nil || !again.Duplicate || !samePlace(again, first) {
				s.Errorf("the repeat is at %+v, %v; the first one at %+v", again, err, first)
			}
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{first, last}, "a", "b")
	}},
	{name: "what makes a repeat is the key and the hash, not the payload", run: func(s *suite) {
		m := message("a", "a")
		first := s.append(m)
		m.Payload = []byte("what a hook made of it the second time")
		again, err := s.engine.Append(s.Context(), s.room, m)
		if err != nil || !again.Duplicate || !samePlace(again, first) {
			s.Errorf("the repeat is at %+v, %v; the first one at %+v", again, err, first)
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{first}, "a")
	}},
	{name: "a key that was used for another message is refused", run: func(s *suite) {
		first := s.append(message("a", "a"))
		for _, engine := range []roomlog.Engine{s.engine, s.other} {
			_, err := engine.Append(s.Context(), s.room, message("a", "b"))
			s.wantError(err, roomlog.ErrOtherPayload)
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{first}, "a")
	}},
	{name: "a send that comes after a later one of its session is refused", run: func(s *suite) {
		s.append(numbered("five", "5", 7, 5))
		for _, late := range []roomlog.Message{numbered("four", "4", 7, 4), numbered("five again", "5", 7, 5)} {
			for _, engine := range []roomlog.Engine{s.engine, s.other} {
				_, err := engine.Append(s.Context(), s.room, late)
				s.wantError(err, roomlog.ErrTooLate)
			}
		}
		s.append(numbered("seven", "7", 7, 7)) // numbers may be left out
		s.append(numbered("other session", "1", 8, 1))
		s.append(message("no session", "x"))
		s.append(numbered("no number", "y", 7, 0))
		s.append(numbered("a number without a session", "z", 0, 1))
		s.append(numbered("and once more", "z", 0, 1))
		_, err := s.engine.Append(s.Context(), s.room, numbered("six", "6", 7, 6))
		s.wantError(err, roomlog.ErrTooLate)
	}},
	{name: "a key is looked for before its send number is looked at", run: func(s *suite) {
		first := s.append(numbered("one", "1", 7, 1))
		s.append(numbered("two", "2", 7, 2))
		again, err := s.engine.Append(s.Context(), s.room, numbered("one", "1", 7, 1))
		if err != nil || !again.Duplicate || !samePlace(again, first) {
			s.Errorf("the repeat is at %+v, %v; the first one at %+v", again, err, first)
		}
		_, err = s.engine.Append(s.Context(), s.room, numbered("one", "other", 7, 1))
		s.wantError(err, roomlog.ErrOtherPayload)
	}},
	{name: "what was refused is not remembered", run: func(s *suite) {
		s.append(numbered("five", "5", 7, 5))
		_, err := s.engine.Append(s.Context(), s.room, numbered("four", "4", 7, 4))
		s.wantError(err, roomlog.ErrTooLate)
		other := message("other log", "x")
		other.Epoch = s.head(s.room).Epoch + 1
		_, err = s.engine.Append(s.Context(), s.room, other)
		s.wantError(err, roomlog.ErrOtherLog)
		s.append(message("four", "another"))
		s.append(message("other log", "another"))
		s.append(numbered("six", "6", 7, 6))
	}},
	{name: "find tells the place of a message by its key", run: func(s *suite) {
		first := s.append(message("a", "a"))
		s.append(message("b", "b"))
		for _, engine := range []roomlog.Engine{s.engine, s.other} {
			place, found, err := engine.Find(s.Context(), s.room, "a", message("a", "a").Hash)
			if err != nil || !found || !samePlace(place, first) {
				s.Errorf("found %v at %+v, %v; it is at %+v", found, place, err, first)
			}
			_, found, err = engine.Find(s.Context(), s.room, "a", message("a", "other").Hash)
			if s.wantError(err, roomlog.ErrOtherPayload); found {
				s.Error("another payload is found")
			}
			for room, key := range map[string]string{s.room: "c", "other": "a"} {
				if _, found, err = engine.Find(s.Context(), room, key, message("a", "a").Hash); found || err != nil {
					s.Errorf("key %q of %q: found %v, %v", key, room, found, err)
				}
			}
		}
	}},
	{name: "keys are remembered for a time that the engine tells", run: func(s *suite) {
		if window := s.engine.DedupeWindow(); window <= 0 {
			s.Errorf("the window is %v", window)
		}
	}},
}
