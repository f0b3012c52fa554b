package server

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
)

// sessionKey names a session. The user is part of it: nobody can end or impersonate another user's session by its id.
type sessionKey struct {
	user string
	id   uint64 // Hello's; for a client of today a number that the server made up for this one stream
}

// originOf names a session in a log, where its own id would let anybody who has seen it speak for it.
func originOf(key sessionKey) uint64 {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(key.user), key.id))
	return max(binary.BigEndian.Uint64(sum[:]), 1)
}

// sessions finds the live stream of a session and all streams of a user.
type sessions struct {
	mu     sync.Mutex
	live   map[sessionKey]*stream
	byUser map[string]map[*stream]struct{}
}

func newSessions() sessions {
	return sessions{live: make(map[sessionKey]*stream), byUser: make(map[string]map[*stream]struct{})}
}

// claim makes st the live stream of its session. It gives the stream that was it before, if there is one, and false if that
// one is newer: then nothing has changed.
func (all *sessions) claim(st *stream) (before *stream, ok bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	before = all.live[st.key]
	if before != nil && before.number > st.number {
		return before, false
	}
	all.live[st.key] = st
	if all.byUser[st.key.user] == nil {
		all.byUser[st.key.user] = make(map[*stream]struct{})
	}
	all.byUser[st.key.user][st] = struct{}{}
	return before, true
}

// release is the end of what claim began.
func (all *sessions) release(st *stream) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.live[st.key] == st {
		delete(all.live, st.key)
	}
	delete(all.byUser[st.key.user], st)
	if len(all.byUser[st.key.user]) == 0 {
		delete(all.byUser, st.key.user)
	}
}

// find gives a session's live stream, or nil.
func (all *sessions) find(key sessionKey) *stream {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.live[key]
}

// of gives all streams of a user.
func (all *sessions) of(user string) []*stream {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Collect(maps.Keys(all.byUser[user]))
}
