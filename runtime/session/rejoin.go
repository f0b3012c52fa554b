package session

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// How many joins run side by side: on the stream, where one costs no more than a frame, and as unary calls.
const (
	framesAtOnce = 256
	joinsAtOnce  = 16
)

// joinTries is how many streams in a row may fail over a room that cannot be joined just now. The next one goes live
// without it, and asks again while it lives.
const joinTries = 3

// enterRooms puts a new stream into the session's rooms, but for those that its start has joined already. The first
// stream has only the default room: its refusal is an error. Later a room that refuses the session is reported and
// forgotten. One that cannot be joined just now fails the stream, but not for ever: then joinLater asks for it.
func (s *Session) enterRooms(ctx context.Context, st *stream) error {
	first := s.State() != StateReconnecting
	missing := s.rooms.all()
	for room, metadata := range missing {
		if s.isIn(st, room, metadata) {
			s.rooms.addAgain(room)
			delete(missing, room)
		}
	}
	var failed error
	for _, each := range s.joinAll(ctx, st, missing) {
		switch {
		case first, each.ended, ctx.Err() != nil, s.peer.slowToStart(st, each.err):
			failed = each.err
		case refusesRoom(each.err):
			s.forgetRoom(each)
		default:
			if tries := s.rooms.unable(each); tries > 0 && tries < joinTries {
				failed = each.err
			}
		}
	}
	return failed
}

// joinLater asks again for the rooms that a live stream could not be put into, until it is in all of them or ends.
func (s *Session) joinLater(st *stream) {
	for attempt := 1; ; attempt++ {
		outside := s.rooms.outside()
		if len(outside) == 0 || st.ctx.Err() != nil {
			return
		}
		cause := outside[0].err
		s.reportError(fmt.Errorf("connected without %d of %d rooms, and asking again: %w",
			len(outside), len(s.rooms.all()), cause))
		timer := time.NewTimer(s.waitBefore(attempt, cause))
		select {
		case <-timer.C:
		case <-st.ctx.Done():
			timer.Stop()
			return
		}
		s.askAgain(st)
	}
}

// askAgain is one try of joinLater.
func (s *Session) askAgain(st *stream) {
	ctx, cancel := s.requestContext(st.ctx)
	defer cancel()
	rooms := s.rooms.all()
	outside := make(map[string]map[string]string)
	for _, each := range s.rooms.outside() {
		outside[each.room] = rooms[each.room]
	}
	for _, each := range s.joinAll(ctx, st, outside) {
		switch {
		case each.ended, st.ctx.Err() != nil: // the next stream asks for itself
		case refusesRoom(each.err) && !s.peer.slowToStart(st, each.err):
			s.forgetRoom(each)
		default:
			s.rooms.unable(each)
		}
	}
}

// failedJoin is a room that a stream could not be put into. ended: because that ended.
type failedJoin struct {
	room  string
	err   error
	ended bool
}

// joinAll puts a stream into rooms, and tells where that failed.
func (s *Session) joinAll(ctx context.Context, st *stream, rooms map[string]map[string]string) []failedJoin {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex // guards failed
		failed []failedJoin
		slots  = make(chan struct{}, joinsAtOnce)
	)
	if st.capabilities().StreamRooms {
		slots = make(chan struct{}, framesAtOnce)
	}
	for room, metadata := range rooms {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			request := &imv1.JoinRoomRequest{UserId: s.config.user, RoomId: room, Metadata: metadata}
			if _, ended, err := s.join(ctx, st, request, true); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, failedJoin{room, err, ended})
			}
		})
	}
	wg.Wait()
	return failed
}

// forgetRoom takes leave of a room that refuses the session.
func (s *Session) forgetRoom(refused failedJoin) {
	s.rooms.remove(refused.room)
	s.positions.drop(refused.room)
	s.reportError(refused.err)
}

// refusesRoom tells whether a server does not want the session in a room. Any other error may be over in a moment.
func refusesRoom(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.ResourceExhausted,
		codes.FailedPrecondition, codes.OutOfRange, codes.Unimplemented, codes.Unauthenticated, codes.DataLoss:
		return true
	default:
		return false
	}
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
