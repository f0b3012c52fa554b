package roomlogtest

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// suite is what one test works with.
type suite struct {
	*testing.T

	config Config
	engine roomlog.Engine
	other  roomlog.Engine // the same logs, from another process if there can be one
	room   string
}

// message is one whose hash is that of its payload, sent by no session.
func message(key, payload string) roomlog.Message {
	sum := fnv.New128a()
	_, _ = sum.Write([]byte(payload)) // never fails
	return roomlog.Message{Key: key, Hash: roomlog.Hash(sum.Sum(nil)), Payload: []byte(payload)}
}

// numbered is a message of a session.
func numbered(key, payload string, session, number uint64) roomlog.Message {
	m := message(key, payload)
	m.Session, m.SendNumber = session, number
	return m
}

// append puts a message into the room; it has to be a new one.
func (s *suite) append(m roomlog.Message) roomlog.Place {
	s.Helper()
	return s.appendTo(s.room, m)
}

func (s *suite) appendTo(room string, m roomlog.Message) roomlog.Place {
	s.Helper()
	place, err := s.engine.Append(s.Context(), room, m)
	if err != nil {
		s.Fatalf("append %q to %q: %v", m.Key, room, err)
	}
	if place.Duplicate {
		s.Fatalf("append %q to %q: a duplicate of %+v", m.Key, room, place)
	}
	return place
}

// fill appends n messages "0", "1", … to the room.
func (s *suite) fill(n int) []roomlog.Place {
	s.Helper()
	places := make([]roomlog.Place, n)
	for i := range places {
		text := strconv.Itoa(i)
		places[i] = s.append(message(text, text))
	}
	return places
}

func (s *suite) head(room string) roomlog.Cursor {
	s.Helper()
	head, err := s.engine.Head(s.Context(), room)
	if err != nil {
		s.Fatalf("head of %q: %v", room, err)
	}
	return head
}

// read reads once. It sees to it that the page is whole.
func (s *suite) read(room string, after roomlog.Cursor, limit roomlog.Limit) roomlog.Page {
	s.Helper()
	page, err := s.engine.Read(s.Context(), room, after, limit)
	if err != nil {
		s.Fatalf("read %q after %+v: %v", room, after, err)
	}
	if err := checkPage(after, page); err != nil {
		s.Fatalf("read %q after %+v: %v", room, after, err)
	}
	return page
}

// all reads a room from a cursor to its end. There may be no gap.
func (s *suite) all(room string, after roomlog.Cursor) []roomlog.Record {
	s.Helper()
	var records []roomlog.Record
	for {
		page := s.read(room, after, roomlog.Limit{Messages: 100})
		if page.Gap != nil {
			s.Fatalf("read %q after %+v: the gap %+v", room, after, *page.Gap)
		}
		if len(page.Records) == 0 {
			return records
		}
		records = append(records, page.Records...)
		after = end(page.Records)
	}
}

// end is the cursor behind records.
func end(records []roomlog.Record) roomlog.Cursor { return at(records[len(records)-1].Place) }

// at is the cursor behind a message.
func at(place roomlog.Place) roomlog.Cursor {
	return roomlog.Cursor{Epoch: place.Epoch, Seq: place.Seq}
}

// before is the cursor before a message.
func before(place roomlog.Place) roomlog.Cursor {
	return roomlog.Cursor{Epoch: place.Epoch, Seq: place.PrevSeq}
}

// checkPage tells what is wrong with a page, whatever is in the log.
func checkPage(after roomlog.Cursor, page roomlog.Page) error {
	if page.Head.Epoch == 0 {
		return errors.New("the head has no epoch")
	}
	from := after
	if page.Gap == nil && after.Epoch != page.Head.Epoch && after != (roomlog.Cursor{}) {
		return fmt.Errorf("the log is %+v, and there is no gap", page.Head)
	}
	if page.Gap != nil {
		if from = page.Gap.Next; from.Epoch != page.Head.Epoch || from.Seq > page.Head.Seq {
			return fmt.Errorf("the gap %+v ends beyond the head %+v", *page.Gap, page.Head)
		}
	}
	for i, record := range page.Records {
		place := record.Place
		switch {
		case place.Epoch != page.Head.Epoch || place.Seq > page.Head.Seq:
			return fmt.Errorf("record %d, %+v, is beyond the head %+v", i, place, page.Head)
		case place.Seq <= from.Seq || place.PrevSeq > from.Seq || i > 0 && place.PrevSeq != from.Seq:
			return fmt.Errorf("record %d, %+v, does not follow %+v", i, place, from)
		case place.Duplicate || place.Time.IsZero():
			return fmt.Errorf("record %d is %+v", i, place)
		}
		from.Seq = place.Seq
	}
	return nil
}

func (s *suite) wantRecords(got []roomlog.Record, places []roomlog.Place, payloads ...string) {
	s.Helper()
	if len(got) != len(payloads) {
		s.Fatalf("%d records, want %d", len(got), len(payloads))
	}
	for i, record := range got {
		if !samePlace(record.Place, places[i]) || !bytes.Equal(record.Payload, []byte(payloads[i])) {
			s.Errorf("record %d is %+v %.60q, want %+v %.60q", i, record.Place, record.Payload, places[i], payloads[i])
		}
	}
}

func (s *suite) wantGap(page roomlog.Page, reason roomlog.GapReason, next roomlog.Cursor) {
	s.Helper()
	if page.Gap == nil || page.Gap.Reason != reason || page.Gap.Next != next {
		s.Fatalf("the gap is %+v, want reason %d up to %+v", page.Gap, reason, next)
	}
}

func (s *suite) wantError(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("the error is %v, want %v", err, want)
	}
}

// samePlace compares places but for their being duplicates.
func samePlace(a, b roomlog.Place) bool {
	return a.Epoch == b.Epoch && a.Seq == b.Seq && a.PrevSeq == b.PrevSeq && a.Time.Equal(b.Time)
}

// await waits until something is so.
func (s *suite) await(what string, is func() bool) {
	s.Helper()
	deadline := time.Now().Add(s.config.Patience)
	for !is() {
		if time.Now().After(deadline) {
			s.Fatalf("waited %v for %s", s.config.Patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
