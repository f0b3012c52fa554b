package roomlog_test

import (
	"errors"
	"slices"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// model is the memory engine written down naively: every list is gone through from its beginning.
type model struct {
	keep    roomlog.Retention // every field is set
	rooms   map[string]*modelRoom
	records []*modelRecord // of all rooms, oldest first
}

type modelRoom struct {
	head    roomlog.Cursor
	sends   []modelSend
	idle    time.Time // since when it is empty and nobody asks for it; zero: it is not empty
	subject bool      // has a subscriber
}

type modelRecord struct {
	room string
	roomlog.Record
}

type modelSend struct {
	roomlog.Message

	place roomlog.Place
}

// settle drops what may not be there any more, and gives a room; new tells that it was not there.
func (m *model) settle(room string) (r *modelRoom, isNew bool) {
	now := time.Now()
	m.records = slices.DeleteFunc(m.records, func(r *modelRecord) bool { return now.Sub(r.Time) > m.keep.Age })
	for len(m.records) > 1 && m.total() > m.keep.TotalBytes {
		m.records = m.records[1:]
	}
	for name, r := range m.rooms {
		r.sends = slices.DeleteFunc(r.sends, func(s modelSend) bool { return now.Sub(s.place.Time) > m.keep.DedupeWindow })
		switch {
		case len(m.of(name)) > 0 || len(r.sends) > 0 || r.subject:
			r.idle = time.Time{}
		case r.idle.IsZero():
			r.idle = now
		case now.Sub(r.idle) > max(m.keep.Age, time.Hour):
			delete(m.rooms, name)
		}
	}
	if r = m.rooms[room]; r == nil {
		r, isNew = &modelRoom{idle: now}, true
		m.rooms[room] = r
	}
	if !r.idle.IsZero() {
		r.idle = now
	}
	return r, isNew
}

func (m *model) total() (bytes int64) {
	for _, r := range m.records {
		bytes += int64(len(r.Payload)) + 128
	}
	return bytes
}

// of gives what a room has.
func (m *model) of(room string) (records []*modelRecord) {
	for _, r := range m.records {
		if r.room == room {
			records = append(records, r)
		}
	}
	return records
}

func (m *model) append(room string, message roomlog.Message) (roomlog.Place, error) {
	r, _ := m.settle(room)
	if message.Epoch != 0 && message.Epoch != r.head.Epoch {
		return roomlog.Place{}, roomlog.ErrOtherLog
	}
	late := false
	for _, s := range r.sends {
		switch {
		case s.Key == message.Key && s.Hash != message.Hash:
			return roomlog.Place{}, roomlog.ErrOtherPayload
		case s.Key == message.Key:
			s.place.Duplicate = true
			return s.place, nil
		case s.Session == message.Session && s.Session != 0 && s.SendNumber >= message.SendNumber && message.SendNumber != 0:
			late = true
		}
	}
	if late {
		return roomlog.Place{}, roomlog.ErrTooLate
	}
	keys := 0
	for _, of := range m.rooms {
		keys += len(of.sends)
	}
	if keys >= m.keep.TotalKeys {
		return roomlog.Place{}, roomlog.ErrFull
	}
	place := roomlog.Place{Epoch: r.head.Epoch, Seq: r.head.Seq + 1, PrevSeq: r.head.Seq, Time: time.Now()}
	r.head.Seq = place.Seq
	r.sends = append(r.sends, modelSend{message, place})
	m.records = append(m.records, &modelRecord{
		room, roomlog.Record{Place: place, Session: message.Session, Payload: message.Payload},
	})
	for {
		records, bytes := m.of(room), int64(0)
		for _, record := range records {
			bytes += int64(len(record.Payload))
		}
		if len(records) <= m.keep.Messages && (bytes <= m.keep.Bytes || len(records) == 1) {
			break
		}
		m.records = slices.DeleteFunc(m.records, func(r *modelRecord) bool { return r == records[0] })
	}
	m.settle(room)
	return place, nil
}

func (m *model) find(room, key string, hash roomlog.Hash) (roomlog.Place, bool, error) {
	r, _ := m.settle(room)
	for _, s := range r.sends {
		if s.Key == key && s.Hash != hash {
			return roomlog.Place{}, false, roomlog.ErrOtherPayload
		}
		if s.Key == key {
			return s.place, true, nil
		}
	}
	return roomlog.Place{}, false, nil
}

func (m *model) read(room string, after roomlog.Cursor, limit roomlog.Limit) roomlog.Page {
	r, _ := m.settle(room)
	records := m.of(room)
	page := roomlog.Page{Head: r.head}
	start := r.head
	if len(records) > 0 {
		start.Seq = records[0].PrevSeq
	}
	switch {
	case after != roomlog.Cursor{} && after.Epoch != r.head.Epoch:
		page.Gap = &roomlog.Gap{Reason: roomlog.GapOtherLog, Next: start}
	case after.Seq > r.head.Seq:
		page.Gap = &roomlog.Gap{Reason: roomlog.GapLogCut, Next: r.head}
	case after.Seq < start.Seq:
		page.Gap = &roomlog.Gap{Reason: roomlog.GapRetention, Next: start}
	}
	if page.Gap != nil {
		after = page.Gap.Next
	}
	bytes := 0
	for _, record := range records {
		if record.Seq <= after.Seq {
			continue
		}
		bytes += len(record.Payload)
		full := limit.Messages > 0 && len(page.Records) == limit.Messages || limit.Bytes > 0 && bytes > limit.Bytes
		if full && len(page.Records) > 0 {
			break
		}
		page.Records = append(page.Records, record.Record)
	}
	return page
}

func (m *model) forget(room string) {
	r, _ := m.settle(room)
	r.sends = nil
	m.records = slices.DeleteFunc(m.records, func(r *modelRecord) bool { return r.room == room })
	m.settle(room)
}

// sameError tells whether two errors are the same decision, or both none.
func sameError(a, b error) bool { return errors.Is(a, b) && errors.Is(b, a) }
