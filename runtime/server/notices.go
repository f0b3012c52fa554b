package server

import (
	"context"
	"log/slog"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
)

// maxNotices is how many notices of a room may wait for its log before no other user is let in. Those of users who leave always
// have a place: there is one at most for each user who was let in.
const maxNotices = 1024

// notices has what the server itself has yet to say, by room. A room that has something has a goroutine that says it, in
// order. Rooms come and go meanwhile: a user's leaving is told before its next joining, though that makes a new room.
type notices struct {
	mu      sync.Mutex          // may be taken under a room's lock
	waiting map[string][]notice // a room is here as long as its goroutine runs
}

// notice is what the server itself has to say in a room.
type notice struct {
	message *imv1.MessageResponse
	origin  uint64        // of the stream that it is about
	done    chan struct{} // closed when it was said, or will not be
}

func newNotices() notices { return notices{waiting: make(map[string][]notice)} }

// checkNotices refuses a join where the log does not keep up.
func (s *Server) checkNotices(roomID string) error {
	s.notices.mu.Lock()
	defer s.notices.mu.Unlock()
	if len(s.notices.waiting[roomID]) < maxNotices {
		return nil
	}
	return refuse(codes.Unavailable, "%d notices of room %q wait for its log: try again", maxNotices, roomID)
}

// say has a notice said behind those that wait. The lock of its room is held, and the stream that it is about is in the
// room until that is free: so there is a counted goroutine beside the one that begins here.
func (s *Server) say(n notice) {
	roomID := n.message.GetRoomId()
	s.notices.mu.Lock()
	defer s.notices.mu.Unlock()
	before, running := s.notices.waiting[roomID]
	s.notices.waiting[roomID] = append(before, n)
	if !running {
		s.streams.running.Go(func() { s.sayNotices(roomID) })
	}
}

// sayNotices says what waits in a room until nothing does. A log that hangs while the server closes gets no more of them.
func (s *Server) sayNotices(roomID string) {
	for {
		n, ok := s.notices.next(roomID)
		if !ok {
			return
		}
		inTime := s.sayNotice(n)
		close(n.done)
		if !inTime && s.streams.isClosed() {
			s.notices.drop(roomID)
			return
		}
	}
}

// sayNotice appends a notice. A log that does not take it leaves the others in the room without it. False: it took too long.
func (s *Server) sayNotice(n notice) (inTime bool) {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	message := roomlog.Message{
		Key: sendKey(n.message.GetFromUserId(), n.message.GetMessageId()), Session: n.origin,
	}
	if _, err := s.appendTo(ctx, n.message.GetRoomId(), message, n.message); err != nil {
		s.log.Error("a notice could not be appended", slog.String("room", n.message.GetRoomId()),
			slog.Any("type", n.message.GetType()), slog.Any("error", err))
	}
	return ctx.Err() == nil
}

// next takes the notice whose turn it is. If there is none, the goroutine ends.
func (all *notices) next(roomID string) (notice, bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	waiting := all.waiting[roomID]
	if len(waiting) == 0 {
		delete(all.waiting, roomID)
		return notice{}, false
	}
	all.waiting[roomID] = waiting[1:]
	return waiting[0], true
}

// drop gives up what waits in a room.
func (all *notices) drop(roomID string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, n := range all.waiting[roomID] {
		close(n.done)
	}
	delete(all.waiting, roomID)
}
