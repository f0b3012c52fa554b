package session

import (
	"context"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// How many joins run side by side: on the stream, where one costs no more than a frame, and as unary calls.
const (
	framesAtOnce = 256
	joinsAtOnce  = 16
)

// enterRooms puts a new stream into the session's rooms, but for those that its metadata has joined already. The first
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
			case !back, ended, unsettled(err):
				fail(err)
			default:
				s.rooms.remove(room)
				s.positions.left(room, true)
				s.reportError(err)
			}
		})
	}
	wg.Wait()
	return failed
}

// isIn tells whether the start of the stream has put it into a room. Without resume, what the user joined with is not part
// of that start: such a room is joined again.
func (s *Session) isIn(st *stream, room string, metadata map[string]string) bool {
	c := st.contract.Load()
	switch {
	case c.known().Resume: // Hello names them with all that the user joined with
		return c.hasRoom(room)
	case len(metadata) > 0:
		return false
	case c != nil:
		return c.hasRoom(room)
	default:
		return room == s.rooms.initial
	}
}
