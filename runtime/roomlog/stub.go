package roomlog

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

type Retention struct {
	Messages          int
	Bytes             int64
	Age, DedupeWindow time.Duration
	TotalBytes        int64
}

type dd struct {
	h Hash
	p Place
}
type slog struct {
	epoch, head, nums uint64
	recs              []Record
	keys              map[string]dd
	last              map[uint64]uint64
	subs              map[*int]func(Record)
}
type Memory struct {
	mu   sync.Mutex
	logs map[string]*slog
	r    Retention
}

func NewMemory(r Retention) *Memory {
	if r.Messages == 0 {
		r.Messages = 10000
	}
	if r.DedupeWindow == 0 {
		r.DedupeWindow = 2 * time.Minute
	}
	return &Memory{logs: map[string]*slog{}, r: r}
}
func (m *Memory) get(room string) *slog {
	l := m.logs[room]
	if l == nil {
		l = &slog{epoch: rand.Uint64(), keys: map[string]dd{}, last: map[uint64]uint64{}, subs: map[*int]func(Record){}}
		m.logs[room] = l
	}
	return l
}
func (m *Memory) Forget(room string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.get(room)
	s := l.subs
	delete(m.logs, room)
	m.get(room).subs = s
}
func (m *Memory) DedupeWindow() time.Duration { return m.r.DedupeWindow }
func (m *Memory) Append(_ context.Context, room string, x Message) (Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.get(room)
	if x.Epoch != 0 && x.Epoch != l.epoch {
		return Place{}, ErrOtherLog
	}
	if d, ok := l.keys[x.Key]; ok && time.Since(d.p.Time) <= m.r.DedupeWindow {
		if d.h != x.Hash {
			return Place{}, ErrOtherPayload
		}
		p := d.p
		p.Duplicate = true
		return p, nil
	}
	if x.SendNumber != 0 && x.SendNumber <= l.last[x.Session] {
		return Place{}, ErrTooLate
	}
	p := Place{Epoch: l.epoch, Seq: l.head + 1, PrevSeq: l.head, Time: time.Now()}
	l.head++
	l.keys[x.Key] = dd{x.Hash, p}
	if x.SendNumber > 0 {
		l.last[x.Session] = x.SendNumber
	}
	rec := Record{Place: p, Session: x.Session, Payload: x.Payload}
	l.recs = append(l.recs, rec)
	if len(l.recs) > m.r.Messages {
		l.recs = l.recs[1:]
	}
	for _, s := range l.subs {
		s(rec)
	}
	return p, nil
}
func (m *Memory) Find(_ context.Context, room, key string, h Hash) (Place, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.get(room).keys[key]
	if !ok || time.Since(d.p.Time) > m.r.DedupeWindow {
		return Place{}, false, nil
	}
	if d.h != h {
		return Place{}, false, ErrOtherPayload
	}
	return d.p, true, nil
}
func (m *Memory) Head(_ context.Context, room string) (Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.get(room)
	return Cursor{l.epoch, l.head}, nil
}
func (m *Memory) Subscribe(_ context.Context, room string, to func(Record)) (func(), error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := new(int)
	m.get(room).subs[k] = to
	return func() { m.mu.Lock(); defer m.mu.Unlock(); delete(m.get(room).subs, k) }, nil
}
func (m *Memory) Read(_ context.Context, room string, c Cursor, lim Limit) (Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.get(room)
	pg := Page{Head: Cursor{l.epoch, l.head}}
	base := l.head
	if len(l.recs) > 0 {
		base = l.recs[0].PrevSeq
	}
	switch {
	case c.Epoch != l.epoch && c != Cursor{}:
		pg.Gap = &Gap{GapOtherLog, Cursor{l.epoch, base}}
		c.Seq = base
	case c.Seq > l.head:
		pg.Gap = &Gap{GapLogCut, pg.Head}
	case c.Seq < base:
		pg.Gap = &Gap{GapRetention, Cursor{l.epoch, base}}
	}
	n := 0
	for _, r := range l.recs {
		if r.Seq > c.Seq {
			if len(pg.Records) > 0 && (len(pg.Records) == lim.Messages || lim.Bytes > 0 && n+len(r.Payload) > lim.Bytes) {
				break
			}
			n += len(r.Payload)
			pg.Records = append(pg.Records, r)
		}
	}
	return pg, nil
}
