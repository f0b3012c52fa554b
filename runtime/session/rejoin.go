package session

import (
	"context"
	"slices"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// How many joins run side by side: on the stream, where one costs no more than a frame, and as unary calls.
const (
	framesAtOnce = 256
	joinsAtOnce  = 16
)

// enterRooms puts a new stream into the session's rooms, but for those that its start has joined already. The first
// stream has only the default room: its refusal is an error. Later a room that refuses the session is reported and
// forgotten.
func (s *Session) enterRooms(ctx context.Context, st *stream) error {
	back := s.State() == StateReconnecting
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex // guards failed
		failed error
		slots  = make(chan struct{}, joinsAtOnce)
	)
	if st.capabilities().StreamRooms {
		slots = make(chan struct{}, framesAtOnce)
	}
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		failed = err
	}
	for room, metadata := range s.rooms.all() {
		if s.isIn(st, room, metadata) {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			request := &imv1.JoinRoomRequest{UserId: s.config.user, RoomId: room, Metadata: metadata}
			_, ended, err := s.join(ctx, st, request)
			switch {
			case err == nil:
			case !back, ended, unsettled(err), s.peer.slowToStart(st, err):
				fail(err)
			default:
				s.rooms.remove(room)
				s.positions.drop(room)
				s.reportError(err)
			}
		})
	}
	wg.Wait()
	return failed
}

// isIn tells whether the start of the stream has put it into a room. What the user joined with is part of that start
// only where the server takes Hello's rooms: elsewhere such a room is joined again.
func (s *Session) isIn(st *stream, room string, metadata map[string]string) bool {
	if c := st.contract.Load(); c.known().Resume {
		return slices.Contains(st.named, room) && c.hasRoom(room)
	}
	if len(metadata) > 0 {
		return false
	}
	if c := st.contract.Load(); c != nil {
		return c.hasRoom(room)
	}
	return room == s.rooms.initial
}
