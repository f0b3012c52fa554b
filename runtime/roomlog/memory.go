package roomlog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Memory is an engine that keeps its logs in the memory of one process: they end with it. It starts no goroutine and no
// timer, so there is nothing to close; what is too old goes when anybody asks for anything. Safe for concurrent use. Make
// one with [NewMemory].
//
// A log that has nothing left, no message, no remembered key, no subscriber, goes when nobody has asked for it for
// Retention.Age, an hour at least, or when there are more than 65,536 of them. If it is asked for again it is another one,
// with an epoch of its own.
//
// What Subscribe was given is called by whoever appends, before Append returns, and leaves out nothing. No call of it begins
// for an append that began after cancel returned.
type Memory struct {
	retention Retention
	maxKeys   int          // of one room; only tests change this and maxIdle
	maxIdle   int          // logs in idle
	keys      atomic.Int64 // in sends; changed with mu held

	// mu guards what rooms have in common. It may be taken while one log's lock is held, never the other way round, and
	// nobody holds two logs' locks.
	mu      sync.Mutex
	logs    map[string]*memoryLog
	idle    list[*memoryLog]   // logs with nothing in them, the one that nobody has asked for longest first
	idling  int                // logs in idle
	records list[*memoryEntry] // what the logs have, in the order in which it was appended
	sends   list[*memorySend]  // what is remembered of sends, in the same order
	bytes   int64              // of records
}

var _ Engine = (*Memory)(nil)

// NewMemory makes an engine in memory.
func NewMemory(retention Retention) *Memory {
	return &Memory{
		retention: retention.withDefaults(), maxKeys: maxKeys, maxIdle: maxIdle, logs: make(map[string]*memoryLog),
	}
}

// subscriber is somebody who is told of a room's messages.
type subscriber struct {
	to   func(Record)
	gone atomic.Bool
}

// Append does what [Engine] says. A log takes no more (ErrFull) while it remembers 1,048,576 keys, or all logs together
// Retention.TotalKeys.
func (m *Memory) Append(ctx context.Context, room string, message Message) (Place, error) {
	if err := ctx.Err(); err != nil {
		return Place{}, err
	}
	place, err := m.append(room, message)
	m.sweep(time.Now())
	return place, err
}

func (m *Memory) append(room string, message Message) (Place, error) {
	l := m.lock(room)
	defer l.mu.Unlock()
	place, known, err := l.decide(message, m.full(l))
	if known || err != nil {
		return place, err
	}
	record, to := m.add(l, message, time.Now())
	for _, s := range to {
		if !s.gone.Load() {
			s.to(record)
		}
	}
	return record.Place, nil
}

// full tells whether no more keys can be remembered. Appends at the same moment may go beyond it, by one each. The log's mu is
// held.
func (m *Memory) full(l *memoryLog) bool {
	return len(l.keys) >= m.maxKeys || m.keys.Load() >= int64(m.retention.TotalKeys)
}

// add puts a message at the end of a log. It gives the record, and who is to be told of it. The log's mu is held.
func (m *Memory) add(l *memoryLog, message Message, now time.Time) (Record, []*subscriber) {
	entry, send := l.add(message, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records.push(&entry.link)
	m.bytes += entry.size()
	m.use(l)
	if send != nil {
		m.sends.push(&send.link)
		m.keys.Add(1)
		m.use(l)
	}
	for l.beyond(m.retention) {
		m.dropFirst(l)
	}
	return entry.Record, l.subscribers
}

// Find does what [Engine] says.
func (m *Memory) Find(ctx context.Context, room, key string, hash Hash) (place Place, found bool, err error) {
	if err := ctx.Err(); err != nil {
		return Place{}, false, err
	}
	l := m.lock(room)
	defer l.mu.Unlock()
	return l.find(key, hash)
}

// Read does what [Engine] says.
func (m *Memory) Read(ctx context.Context, room string, after Cursor, limit Limit) (Page, error) {
	if err := ctx.Err(); err != nil {
		return Page{}, err
	}
	l := m.lock(room)
	defer l.mu.Unlock()
	return l.page(after, limit), nil
}

// Head does what [Engine] says.
func (m *Memory) Head(ctx context.Context, room string) (Cursor, error) {
	if err := ctx.Err(); err != nil {
		return Cursor{}, err
	}
	l := m.lock(room)
	defer l.mu.Unlock()
	return l.head, nil
}

// Subscribe does what [Engine] says. Messages that are appended while Subscribe runs may be told or not. cancel waits for
// nothing and may be called from anywhere, any number of times.
func (m *Memory) Subscribe(ctx context.Context, room string, to func(Record)) (cancel func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := time.Now()
	m.sweep(now)
	s := &subscriber{to: to}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.log(room, now)
	l.subscribers = append(l.subscribers, s) // behind what Append may be going through
	m.use(l)
	return func() { m.unsubscribe(l, s) }, nil
}

// unsubscribe makes s hear no more. Its log is in m: one with subscribers stays.
func (m *Memory) unsubscribe(l *memoryLog, s *subscriber) {
	if s.gone.Swap(true) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	left := make([]*subscriber, 0, len(l.subscribers)-1)
	for _, other := range l.subscribers {
		if other != s {
			left = append(left, other)
		}
	}
	l.subscribers = left
	m.unuse(l)
}

// DedupeWindow does what [Engine] says.
func (m *Memory) DedupeWindow() time.Duration { return m.retention.DedupeWindow }

// Forget loses a room's log, as a crash would: what it has, its dedupe state and its epoch. Whoever has subscribed hears what is
// appended to the one that takes its place. It is there for tests of what happens then.
func (m *Memory) Forget(room string) {
	l := m.lock(room)
	defer l.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for l.records.items != nil {
		m.dropFirst(l)
	}
	for l.sends.items != nil {
		m.forgetFirst(l)
	}
	l.head = Cursor{Epoch: newEpoch(l.head.Epoch)}
}

// lock gives a room's log, with its mu held. What is too old has gone.
func (m *Memory) lock(room string) *memoryLog {
	now := time.Now()
	m.sweep(now)
	for {
		m.mu.Lock()
		l := m.log(room, now)
		m.mu.Unlock()
		l.mu.Lock()
		if !l.gone {
			return l
		}
		l.mu.Unlock()
	}
}

// log gives a room's log, made if there is none. mu is held.
func (m *Memory) log(room string, now time.Time) *memoryLog {
	l := m.logs[room]
	switch {
	case l == nil:
		l = newMemoryLog(room)
		m.logs[room] = l
	case l.uses > 0:
		return l
	default:
		m.idle.remove(&l.link)
		m.idling--
	}
	m.rest(l, now)
	return l
}
