package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// supervise stands by the live stream, and brings the session back whenever it ends.
func (s *Session) supervise(st *stream) {
	attempt, hurried := 0, false
	for {
		<-st.gone
		if st.capabilities().Handshake { // its header may have come late
			s.peer.is(true)
		}
		if errors.Is(st.err, errDead) {
			s.peer.fellSilent()
			s.cutTransport(st)
		}
		s.outbox.streamEnded()
		if _, _, ok := s.move(StateReconnecting, nil, nil, StateConnected); !ok {
			return // closed
		}
		s.waker.reset()
		s.disconnected(st.err)
		if time.Since(st.ready) >= s.config.timing.reconnect.Stable {
			attempt, hurried = 0, false
		}
		// A server that wants the session elsewhere has spread the tries already. One that wants so at once of each
		// stream would be hammered: then the second one in a row waits.
		hurried = st.left() && !hurried
		if st = s.comeBack(&attempt, hurried, st.err); st == nil {
			return
		}
	}
}

// comeBack tries until there is a live stream again, the first time at once if there is a hurry: that try does not count.
// Nil: the session is closed.
func (s *Session) comeBack(attempt *int, hurry bool, cause error) *stream {
	policy := s.config.timing.reconnect
	for hurry = hurry && !policy.Disabled; ; hurry = false {
		if !hurry {
			*attempt++
			if policy.giveUp(*attempt) {
				s.giveUp(*attempt-1, cause)
				return nil
			}
			if !s.pause(s.waitBefore(*attempt, cause), *attempt) {
				return nil
			}
		}
		ctx, cancel := s.connectContext(s.ctx)
		st, err := s.attempt(ctx)
		cancel()
		if err == nil {
			s.counters.reconnects.Add(1) // before anybody can see that it is back
			if s.goLive(st, StateReconnecting) {
				return st
			}
			return nil
		}
		if s.ctx.Err() != nil || s.State() == StateClosed {
			return nil
		}
		cause = s.connectError(s.ctx, err)
		s.reportError(fmt.Errorf("try %d to reconnect: %w", max(*attempt, 1), cause))
	}
}

// waitBefore is how long a try waits. Where the application's own function panics, it is the default.
func (s *Session) waitBefore(attempt int, cause error) (wait time.Duration) {
	policy := s.config.timing.reconnect
	defer func() {
		if reason := recover(); reason != nil {
			s.config.log.Error("Reconnect.Wait panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			s.reportError(&runtime.Error{
				Op: "reconnect", Code: codes.Internal, Message: fmt.Sprintf("Reconnect.Wait panicked: %v", reason),
			})
			policy.Wait = nil
			wait = policy.wait(attempt, cause)
		}
	}()
	return policy.wait(attempt, cause)
}

// giveUp closes the session for good.
func (s *Session) giveUp(tries int, cause error) {
	reason := &runtime.Error{Op: "reconnect", Code: codes.Unavailable, Err: cause}
	if s.config.timing.reconnect.Disabled {
		reason.Message = "the stream ended, and reconnecting is switched off"
	} else {
		reason.Message = fmt.Sprintf("gave up after %d tries", tries)
	}
	s.reportError(reason)
	s.end(reason)
}

// pause waits before a try. From the second one on it ends early when the connection is up before: a try of ours had asked
// it to dial, at a time that was random already. Wake, and a resolver that names other servers, end it at once.
func (s *Session) pause(d time.Duration, attempt int) bool {
	ctx, cancel := context.WithTimeout(s.ctx, d)
	defer cancel()
	defer s.waker.during(cancel)()
	if attempt > 1 && s.conn != nil && s.conn.GetState() != connectivity.Ready && s.untilReady(ctx) {
		return true
	}
	<-ctx.Done()
	return s.ctx.Err() == nil
}

// untilReady waits until the connection is up. It fails when ctx is done.
func (s *Session) untilReady(ctx context.Context) bool {
	for state := s.conn.GetState(); state != connectivity.Ready; state = s.conn.GetState() {
		if !s.conn.WaitForStateChange(ctx, state) {
			return false
		}
	}
	return true
}

// patience is how long a try waits for a connection that is down. One that takes longer cuts the next pause short.
const patience = 200 * time.Millisecond

// attempt is one try, of Connect or to reconnect. A connection that is down is asked to dial at once; until it is up gRPC
// fails calls with what it met the last time. ctx has the connect timeout.
func (s *Session) attempt(ctx context.Context) (*stream, error) {
	wasDown := s.redial()
	st, err := s.establish(ctx)
	if err == nil || !wasDown || status.Code(err) != codes.Unavailable {
		return st, err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !s.untilReady(waiting) {
		return nil, err
	}
	return s.establish(ctx)
}

// redial asks a connection that is down to dial at once. It tells whether it is down.
func (s *Session) redial() (down bool) {
	if s.conn == nil || s.conn.GetState() != connectivity.TransientFailure {
		return false
	}
	s.conn.ResetConnectBackoff()
	s.conn.Connect()
	return true
}
