package session

import (
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

const (
	// leaveTimeout is how long a stream that is to be left may take to decide what it has, and as much again to end.
	leaveTimeout = 2 * time.Second
	// maxSpread bounds what a server may ask for.
	maxSpread = 10 * time.Minute
)

// errGoAway is why a stream ends whose server is about to stop.
var errGoAway = errors.New("the server is about to stop, and asked the session to go")

// receiveGoAway takes a GO_AWAY frame. Only the first one of a stream counts.
func (s *Session) receiveGoAway(st *stream, message *imv1.MessageResponse) {
	told := new(imsdkv1.GoAway)
	if !st.capabilities().GoAway {
		return
	}
	if err := proto.Unmarshal(message.GetContent(), told); err != nil || st.leaving.Swap(true) {
		return
	}
	spread := min(max(told.GetSpread().AsDuration(), 0), maxSpread)
	s.config.log.Info("the server is about to stop", "reason", told.GetReason(), "spread", spread)
	s.group.start(func() { s.leaveStream(st, rand.N(spread+1)) }) //nolint:gosec // nothing secret: it only has to spread
}

// leaveStream ends a stream in good order: what was sent on it is decided first, and what the server has for it is read. The
// session then comes back at once.
func (s *Session) leaveStream(st *stream, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-st.gone:
		return
	}
	s.outbox.hold()
	timer.Reset(leaveTimeout)
	select {
	case <-s.outbox.quiet():
	case <-timer.C:
	case <-st.gone:
		return
	}
	close(st.leave)
	timer.Reset(leaveTimeout)
	select {
	case <-timer.C:
		st.cancel(errGoAway)
	case <-st.gone:
	}
}
