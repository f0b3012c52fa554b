package server

import (
	"maps"
	"slices"

	"google.golang.org/grpc/codes"
)

// errStreamEnded refuses a join.
var errStreamEnded = refuse(codes.Unavailable, "the stream has ended")

// enter notes that the stream is in a room. The room's lock is held.
func (st *stream) enter(r *room) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	limit := st.srv.config.maxRooms
	switch {
	case st.gone:
		return errStreamEnded
	case st.rooms[r.id] == nil && len(st.rooms) >= limit:
		return refuse(codes.ResourceExhausted, "this stream is in %d rooms, which is the limit: leave one first", limit)
	}
	st.rooms[r.id] = r
	return nil
}

// exit notes that the stream is no longer in a room. The room's lock is held.
func (st *stream) exit(r *room) {
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.rooms, r.id)
}

// in gives the room with that id if the stream is in it, or nil.
func (st *stream) in(roomID string) *room {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.rooms[roomID]
}

// joined gives the rooms that the stream is in.
func (st *stream) joined() []*room {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Collect(maps.Values(st.rooms))
}

// stopJoining makes enter fail from now on and gives the rooms to leave.
func (st *stream) stopJoining() []*room {
	st.mu.Lock()
	st.gone = true
	st.mu.Unlock()
	return st.joined()
}
