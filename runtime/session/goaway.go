package session

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

const (
	// settleWithin is how long a stream that the server wants to end waits for what was sent on it to be decided.
	settleWithin = 2 * time.Second
	// endWithin is how long the server has after that to end it.
	endWithin = 2 * time.Second
)

// receiveGoAway takes a GO_AWAY: the server is about to stop. The first one of a stream counts.
func (s *Session) receiveGoAway(st *stream, message *imv1.MessageResponse) {
	frame := new(imsdkv1.GoAway)
	if err := proto.Unmarshal(message.GetContent(), frame); err != nil {
		st.cancel(&runtime.Error{Op: "stream", Code: codes.Internal, Message: "a go-away does not parse", Err: err})
		return
	}
	if st.away {
		return
	}
	st.away = true
	spread := max(frame.GetSpread().AsDuration(), 0)
	st.log.Info("the server wants the stream to end", "spread", spread, "reason", frame.GetReason())
	s.group.start(func() { s.goAway(st, spread, frame.GetReason()) })
}

// goAway ends a stream in good order: after a random part of the spread no new send goes to it, what was sent is
// decided, then the session closes its half, and the server ends it. The next stream follows at once.
func (s *Session) goAway(st *stream, spread time.Duration, reason string) {
	why := &runtime.Error{
		Op: "stream", Code: codes.Unavailable, Message: joinText("the server asked the session to connect elsewhere", reason),
	}
	if !st.stays(nil, jitter(spread)) {
		return
	}
	s.outbox.hold(st.number)
	if !st.stays(s.outbox.quiet(), settleWithin) {
		return
	}
	st.why = why // whoever sees leave closed may read it
	close(st.leave)
	if st.stays(nil, endWithin) {
		st.cancel(why)
	}
}

// stays waits until something is done, at most for a while. It tells whether the stream is still there.
func (st *stream) stays(done <-chan struct{}, atMost time.Duration) bool {
	if atMost == 0 {
		return st.ctx.Err() == nil
	}
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-done:
		return st.ctx.Err() == nil
	case <-timer.C:
		return st.ctx.Err() == nil
	case <-st.ctx.Done():
		return false
	}
}

// left tells whether the session has closed its half because the server wanted it.
func (st *stream) left() bool {
	select {
	case <-st.leave:
		return true
	default:
		return false
	}
}
