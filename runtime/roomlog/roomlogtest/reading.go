package roomlogtest

import (
	"strconv"
	"strings"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

var reading = []test{
	{name: "a reader gets what comes after its cursor", run: func(s *suite) {
		places := s.fill(5)
		for i, place := range places {
			page := s.read(s.room, at(place), roomlog.Limit{})
			if page.Gap != nil || page.Head != at(places[4]) {
				s.Errorf("after message %d: %+v", i, page)
			}
			s.wantRecords(page.Records, places[i+1:], []string{"1", "2", "3", "4"}[i:]...)
		}
	}},
	{name: "a page ends where its number of messages is reached", run: func(s *suite) {
		places := s.fill(10)
		page := s.read(s.room, at(places[2]), roomlog.Limit{Messages: 4})
		s.wantRecords(page.Records, places[3:7], "3", "4", "5", "6")
		if page.Head != at(places[9]) {
			s.Errorf("the head is %+v", page.Head)
		}
		page = s.read(s.room, at(places[8]), roomlog.Limit{Messages: 4})
		s.wantRecords(page.Records, places[9:], "9")
	}},
	{name: "a page ends before the message that would have too many bytes", run: func(s *suite) {
		var places []roomlog.Place
		for i, size := range []int{10, 20, 30, 100, 1} {
			places = append(places, s.append(message(strconv.Itoa(i), strings.Repeat("x", size))))
		}
		from := before(places[0])
		for limit, want := range map[int]int{60: 3, 59: 2, 159: 3, 160: 4, 161: 5, 0: 5, -1: 5} {
			if page := s.read(s.room, from, roomlog.Limit{Bytes: limit}); len(page.Records) != want {
				s.Errorf("%d bytes: %d records, want %d", limit, len(page.Records), want)
			}
		}
		if page := s.read(s.room, from, roomlog.Limit{Bytes: 60, Messages: 2}); len(page.Records) != 2 {
			s.Errorf("both limits: %d records", len(page.Records))
		}
	}},
	{name: "there is always room for one message in a page", run: func(s *suite) {
		small, large := s.append(message("small", "x")), s.append(message("large", strings.Repeat("y", 5000)))
		page := s.read(s.room, at(small), roomlog.Limit{Bytes: 10, Messages: 1})
		s.wantRecords(page.Records, []roomlog.Place{large}, strings.Repeat("y", 5000))
	}},
	{name: "pages joined together are the whole log", run: func(s *suite) {
		places := s.fill(100)
		after := roomlog.Cursor{}
		var got []roomlog.Record
		for len(got) < len(places) {
			page := s.read(s.room, after, roomlog.Limit{Messages: 1 + len(got)%9, Bytes: 7})
			if len(page.Records) == 0 {
				s.Fatalf("nothing after %+v, %d of %d were read", after, len(got), len(places))
			}
			got, after = append(got, page.Records...), end(page.Records)
		}
		for i, record := range got {
			if !samePlace(record.Place, places[i]) {
				s.Errorf("record %d is at %+v, want %+v", i, record.Place, places[i])
			}
		}
	}},
	{name: "a reader at the end gets nothing, and that is no gap", run: func(s *suite) {
		s.fill(3)
		head := s.head(s.room)
		if page := s.read(s.room, head, roomlog.Limit{}); len(page.Records) > 0 || page.Gap != nil || page.Head != head {
			s.Errorf("after the head: %+v", page)
		}
	}},
	{name: "a cursor of another log is told so, and reading begins with this one", run: func(s *suite) {
		places := s.fill(3)
		for _, seq := range []uint64{0, places[1].Seq, places[2].Seq + 1000} {
			page := s.read(s.room, roomlog.Cursor{Epoch: places[0].Epoch + 1, Seq: seq}, roomlog.Limit{})
			s.wantGap(page, roomlog.GapOtherLog, before(places[0]))
			s.wantRecords(page.Records, places, "0", "1", "2")
		}
		head := s.head("empty")
		page := s.read("empty", roomlog.Cursor{Epoch: head.Epoch + 1, Seq: 5}, roomlog.Limit{})
		s.wantGap(page, roomlog.GapOtherLog, head)
	}},
	{name: "a cursor beyond the end is told that the log was cut", run: func(s *suite) {
		last := s.fill(3)[2]
		page := s.read(s.room, roomlog.Cursor{Epoch: last.Epoch, Seq: last.Seq + 1000}, roomlog.Limit{})
		s.wantGap(page, roomlog.GapLogCut, at(last))
		if len(page.Records) > 0 {
			s.Errorf("there are records: %+v", page.Records)
		}
		head := s.head("empty")
		page = s.read("empty", roomlog.Cursor{Epoch: head.Epoch, Seq: 5}, roomlog.Limit{})
		s.wantGap(page, roomlog.GapLogCut, head)
	}},
	{name: "another process reads what one has appended", run: func(s *suite) {
		places := s.fill(3)
		head, err := s.other.Head(s.Context(), s.room)
		if err != nil || head != at(places[2]) {
			s.Errorf("the head is %+v, %v", head, err)
		}
		page, err := s.other.Read(s.Context(), s.room, before(places[0]), roomlog.Limit{})
		if err != nil || page.Gap != nil {
			s.Fatalf("%+v, %v", page, err)
		}
		s.wantRecords(page.Records, places, "0", "1", "2")
	}},
}
