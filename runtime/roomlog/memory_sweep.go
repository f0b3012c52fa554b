package roomlog

import "time"

// maxIdle is how many logs with nothing in them are kept, so that any number of rooms may be asked for within an hour.
const maxIdle = 1 << 16

// sweep drops what no log may have any more: messages that are too old or, over all rooms, too many; sends that need not be
// remembered; logs that are empty and that nobody asks for. Each thing is dropped once, so that a call costs next to
// nothing on average. No lock is held: each log is locked in turn.
func (m *Memory) sweep(now time.Time) {
	for {
		m.mu.Lock()
		l := m.overdue(now)
		m.mu.Unlock()
		if l == nil {
			return
		}
		m.sweepLog(l, now)
	}
}

// overdue gives a log that has something to drop, or nil. What is first in a list of the engine is first in its log. mu is held.
func (m *Memory) overdue(now time.Time) *memoryLog {
	switch {
	case m.recordOverdue(now):
		return m.records.first.of.log
	case m.sendOverdue(now):
		return m.sends.first.of.log
	case m.logOverdue(now):
		return m.idle.first.of
	default:
		return nil
	}
}

func (m *Memory) recordOverdue(now time.Time) bool {
	first := m.records.first
	return first != nil && (now.Sub(first.of.Time) > m.retention.Age || m.bytes > m.retention.TotalBytes && first.next != nil)
}

func (m *Memory) sendOverdue(now time.Time) bool {
	first := m.sends.first
	return first != nil && first.of.expired(now, m.retention.DedupeWindow)
}

func (m *Memory) logOverdue(now time.Time) bool {
	first := m.idle.first
	return first != nil && (now.Sub(first.of.idle) > m.retention.idle() || m.idling > m.maxIdle)
}

// sweepLog drops what is overdue in one log. Somebody else may have been quicker.
func (m *Memory) sweepLog(l *memoryLog, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.recordOverdue(now) && m.records.first.of.log == l {
		m.dropFirst(l)
	}
	for m.sendOverdue(now) && m.sends.first.of.log == l {
		m.forgetFirst(l)
	}
	if m.overdue(now) != l {
		return
	}
	l.gone = true // nothing of it is overdue, and it is the empty log that nobody has asked for longest
	m.idle.remove(&l.link)
	m.idling--
	delete(m.logs, l.room)
}

// dropFirst drops the oldest record of a log; there is one. Both locks are held.
func (m *Memory) dropFirst(l *memoryLog) {
	entry := l.records.items[0]
	l.records.pop()
	l.bytes -= int64(len(entry.Payload))
	m.records.remove(&entry.link)
	m.bytes -= entry.size()
	m.unuse(l)
}

// forgetFirst drops the oldest send that a log remembers; there is one. Both locks are held.
func (m *Memory) forgetFirst(l *memoryLog) {
	m.sends.remove(&l.forget().link)
	m.keys.Add(-1)
	m.unuse(l)
}

// use counts a record, a remembered send or a subscriber of a log. mu is held.
func (m *Memory) use(l *memoryLog) {
	if l.uses++; l.uses == 1 {
		m.idle.remove(&l.link)
		m.idling--
	}
}

// unuse counts one less. mu is held.
func (m *Memory) unuse(l *memoryLog) {
	if l.uses--; l.uses == 0 {
		m.rest(l, time.Now())
	}
}

// rest notes that a log has nothing in it and that nobody asks for it. mu is held.
func (m *Memory) rest(l *memoryLog, now time.Time) {
	l.idle = now
	m.idle.push(&l.link)
	m.idling++
}
