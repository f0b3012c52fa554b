package session

import (
	"context"
	"sync"
)

// unaryRooms knows in which rooms SendUnary calls are under way. A server of today names such a message itself: until
// its answer is there nobody can tell whether a message of the session's own user is an echo.
type unaryRooms struct {
	mu    sync.Mutex // held for map operations only
	rooms map[string]*unaryRoom
}

type unaryRoom struct {
	calls int
	over  chan struct{} // closed when calls is 0
}

// begin tells of a call. The caller calls end once it knows the message's id.
func (u *unaryRooms) begin(room string) (end func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.rooms == nil {
		u.rooms = make(map[string]*unaryRoom)
	}
	current, ok := u.rooms[room]
	if !ok {
		current = &unaryRoom{over: make(chan struct{})}
		u.rooms[room] = current
	}
	current.calls++
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if current.calls--; current.calls == 0 {
			close(current.over)
			delete(u.rooms, room)
		}
	}
}

// wait returns when no call that was under way in the room is any more.
func (u *unaryRooms) wait(ctx context.Context, room string) {
	u.mu.Lock()
	current, ok := u.rooms[room]
	u.mu.Unlock()
	if !ok {
		return
	}
	select {
	case <-current.over:
	case <-ctx.Done():
	}
}
