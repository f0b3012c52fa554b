package server

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// roomLog is a room's log: a list in memory that numbers messages and recognises repeats. It keeps no contents: no
// stream is resumed from it yet. Its owner's lock guards it.
type roomLog struct {
	epoch   uint64
	head    uint64
	entries []*entry // oldest first
	sends   map[sendKey]*entry
	asked   map[string][]*entry // those that asked for ACKs, by message id

	keep   int           // entries at least
	window time.Duration // everything younger than this
}

// sendKey is what makes a send the same send.
type sendKey struct {
	user, messageID string
	payload         payloadHash // zero unless the sender is a client of today
}

// payloadHash tells whether two sends with one key say the same.
type payloadHash [16]byte

// entry is one message of the log.
type entry struct {
	seq, prev uint64
	time      time.Time
	key       sendKey
	hash      payloadHash
	sender    sessionKey // zero if no stream sent it
	wantsAck  bool
	bySender  bool // wantsAck is the sender's wish, not a hook's
}

func newRoomLog(keep int, window time.Duration) roomLog {
	return roomLog{
		epoch: randomID(), keep: keep, window: window,
		sends: make(map[sendKey]*entry), asked: make(map[string][]*entry),
	}
}

// append gives e its place and its time.
func (l *roomLog) append(e *entry) {
	e.prev, e.seq, e.time = l.head, l.head+1, time.Now()
	l.head = e.seq
	l.entries = append(l.entries, e)
	l.sends[e.key] = e
	if e.wantsAck {
		l.asked[e.key.messageID] = append(l.asked[e.key.messageID], e)
	}
	l.trim(e.time)
}

// find gives the entry of an earlier send with the same key, or nil.
func (l *roomLog) find(key sendKey) *entry { return l.sends[key] }

func (l *roomLog) trim(now time.Time) {
	for len(l.entries) > l.keep && now.Sub(l.entries[0].time) > l.window {
		oldest := l.entries[0]
		l.entries[0] = nil
		l.entries = l.entries[1:]
		delete(l.sends, oldest.key)
		if !oldest.wantsAck {
			continue
		}
		id := oldest.key.messageID
		l.asked[id] = slices.DeleteFunc(l.asked[id], func(e *entry) bool { return e == oldest })
		if len(l.asked[id]) == 0 {
			delete(l.asked, id)
		}
	}
}

// hashOf covers what a sender says: type, content, metadata and whether ACKs are wanted. The sender's clock is not
// part of it.
func hashOf(kind imv1.MessageType, content []byte, metadata map[string]string, ackRequired bool) payloadHash {
	sum := sha256.New()
	write := func(b []byte) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		sum.Write(size[:])
		sum.Write(b)
	}
	write(binary.BigEndian.AppendUint32(nil, uint32(kind)))
	write(strconv.AppendBool(nil, ackRequired))
	write(content)
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		write([]byte(key))
		write([]byte(metadata[key]))
	}
	return payloadHash(sum.Sum(nil)[:16])
}
