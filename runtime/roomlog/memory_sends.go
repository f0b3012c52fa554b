package roomlog

import (
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
)

// maxKeys bounds what a room remembers of sends, so that one within the dedupe window cannot take all memory.
const maxKeys = 1 << 20

// memorySends is what a log remembers of sends, within the dedupe window, whether it still has their messages or not. The
// log's mu guards it.
type memorySends struct {
	sends queue[*memorySend] // in the order of their places
	keys  map[string]*memorySend
	last  map[uint64]*memorySend // by session: the one with the highest send number
}

// memorySend is one send that was appended.
type memorySend struct {
	place   Place
	key     string
	hash    Hash
	session uint64
	number  uint64

	log  *memoryLog
	link link[*memorySend] // in Memory.sends; the engine's mu guards it
}

// find gives the place of the send with a key.
func (s *memorySends) find(key string, hash Hash) (place Place, found bool, err error) {
	there := s.keys[key]
	switch {
	case there == nil:
		return Place{}, false, nil
	case there.hash != hash:
		return Place{}, false, ErrOtherPayload
	default:
		return there.place, true, nil
	}
}

// mayFollow tells why a send that is not known may not be appended now, or nil. full: its key could not be remembered.
func (s *memorySends) mayFollow(message Message, full bool) error {
	if last := s.last[message.Session]; last != nil && message.SendNumber != 0 && message.SendNumber <= last.number {
		return ErrTooLate
	}
	if full {
		return ErrFull
	}
	return nil
}

// remember keeps what makes a repeat a repeat.
func (s *memorySends) remember(l *memoryLog, message Message, place Place) *memorySend {
	if sabotage.NoDedupe {
		return nil
	}
	send := &memorySend{
		place: place, key: message.Key, hash: message.Hash, session: message.Session, number: message.SendNumber, log: l,
	}
	send.link.of = send
	if s.keys == nil {
		s.keys, s.last = make(map[string]*memorySend), make(map[uint64]*memorySend)
	}
	s.sends.push(send)
	s.keys[send.key] = send
	if send.session != 0 && send.number != 0 {
		s.last[send.session] = send
	}
	return send
}

// forget drops the oldest send; there is one.
func (s *memorySends) forget() *memorySend {
	send := s.sends.items[0]
	s.sends.pop()
	delete(s.keys, send.key)
	if s.last[send.session] == send {
		delete(s.last, send.session)
	}
	if s.sends.items == nil {
		s.keys, s.last = nil, nil // a map keeps the room that it once needed
	}
	return send
}

// expired tells whether a send need not be remembered any more.
func (s *memorySend) expired(now time.Time, window time.Duration) bool {
	return now.Sub(s.place.Time) > window
}
