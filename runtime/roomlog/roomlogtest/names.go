package roomlogtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// odd are names that a carrier of messages may take for something else, or for each other.
var odd = []string{
	"a", "A", " ", " a", "a ", "a b", "a.b", "a..b", ".", "..", ".a", "a.", "*", ">", "a.*", "a.>", "$", "$SYS", "_", "-", "=", "%", "%2E",
	"a%2Eb", "a_b", "a/b", "/", "\\", "a\x00b", "\x00", "\x00\x00", "\r\n", "a\tb", "房间", "комната", "é", "e\u0301", "🙂", "\u200b", "\u202e",
	strings.Repeat("x", 128), strings.Repeat("x", 127),
	strings.Repeat("房", 42), strings.Repeat("\x00", 128), strings.Repeat(".", 128),
}

var names = []test{
	{name: "a room may have any name, and names that look alike are different rooms", run: func(s *suite) {
		places := make([]roomlog.Place, len(odd))
		heard := make([]listener, len(odd))
		for i, room := range odd {
			heard[i] = s.listen(s.engine, room)
		}
		for i, room := range odd {
			places[i] = s.appendTo(room, message("key", strconv.Itoa(i)))
		}
		for i, room := range odd {
			s.wantRecords(s.all(room, roomlog.Cursor{}), places[i:i+1], strconv.Itoa(i))
			heard[i].wantOnly(room, places[i])
		}
	}},
	{name: "a key may be any bytes, and keys that look alike are different keys", run: func(s *suite) {
		long := []string{strings.Repeat("k", 400), strings.Repeat("k", 399), strings.Repeat("\xff", 400)}
		keys := slices.Concat(odd, long, []string{"\xff\xfe", "\x80"})
		places := make([]roomlog.Place, len(keys))
		for i, key := range keys {
			places[i] = s.append(message(key, strconv.Itoa(i)))
		}
		for i, key := range keys {
			place, found, err := s.other.Find(s.Context(), s.room, key, message(key, strconv.Itoa(i)).Hash)
			if err != nil || !found || !samePlace(place, places[i]) {
				s.Errorf("key %.20q: found %v at %+v, %v; it is at %+v", key, found, place, err, places[i])
			}
		}
	}},
	{name: "a payload may be any bytes, none of them too", run: func(s *suite) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		payloads := []string{"", string(every), "\x00", "\r\n", "NATS/1.0\r\n\r\n", strings.Repeat("\xff", 70_000)}
		var places []roomlog.Place
		for i, payload := range payloads {
			places = append(places, s.append(message(strconv.Itoa(i), payload)))
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), places, payloads...)
	}},
	{name: "a payload may have a mebibyte", run: func(s *suite) {
		payload := strings.Repeat("0123456789abcdef", 1<<16)
		heard := s.listen(s.engine, s.room)
		place := s.append(message("large", payload))
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{place}, payload)
		heard.wantOnly(s.room, place)
	}},
	{name: "a session and a send number may be as high as they can", run: func(s *suite) {
		s.append(numbered("a", "a", 1<<64-1, 1<<64-2))
		s.append(numbered("b", "b", 1<<64-1, 1<<64-1))
		_, err := s.engine.Append(s.Context(), s.room, numbered("c", "c", 1<<64-1, 1<<64-2))
		s.wantError(err, roomlog.ErrTooLate)
	}},
}
