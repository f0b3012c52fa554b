package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// supervise stands by the live stream, and brings the session back whenever it ends.
func (s *Session) supervise(st *stream) {
	attempt := 0
	for {
		<-st.gone
		if errors.Is(st.err, errDead) {
			s.doubt.Store(true)
			s.cutTransport(st)
		}
		s.outbox.streamEnded()
		if _, _, ok := s.move(StateReconnecting, nil, nil, StateConnected); !ok {
			return // closed
		}
		s.disconnected(st.err)
		if st.leaving.Load() || time.Since(st.ready) >= s.config.timing.reconnect.Stable {
			attempt = 0
		}
		if st = s.comeBack(&attempt, st.err, st.leaving.Load()); st == nil {
			return
		}
	}
}

// comeBack tries until there is a live stream again; asked: the server has sent the session away, and it need not wait before the
// first try. Nil: the session is closed.
func (s *Session) comeBack(attempt *int, cause error, asked bool) *stream {
	policy := s.config.timing.reconnect
	select { // a Wake for an outage that is over
	case <-s.awake:
	default:
	}
	for {
		*attempt++
		if policy.giveUp(*attempt) {
			s.giveUp(*attempt-1, cause)
			return nil
		}
		if (!asked || *attempt > 1) && !s.pause(policy.wait(*attempt, cause), *attempt) {
			return nil
		}
		st, err := s.attempt(s.ctx)
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
		s.reportError(fmt.Errorf("try %d to reconnect: %w", *attempt, cause))
	}
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

// Wake ends the wait before the next try to reconnect: for an application that knows better, such as one whose network has
// just come back. It does nothing while the session is connected. It never blocks.
func (s *Session) Wake() {
	if s.State() != StateReconnecting {
		return
	}
	select {
	case s.awake <- struct{}{}:
	default:
	}
}

// pause waits before a try. It ends early when somebody wakes the session, and from the second try on when the connection
// is up before: a try of ours had asked it to dial, at a time that was random already.
func (s *Session) pause(d time.Duration, attempt int) bool {
	ctx, cancel := context.WithTimeout(s.ctx, d)
	defer cancel()
	ready := make(chan struct{})
	if attempt > 1 && s.conn != nil && s.conn.GetState() != connectivity.Ready {
		s.group.start(func() {
			if s.untilReady(ctx) {
				close(ready)
			}
		})
	}
	select {
	case <-ready:
	case <-s.awake:
	case <-ctx.Done():
	}
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
// fails calls with what it met the last time.
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
