package session

import (
	"context"
	"time"
)

// grace is how long Close waits for the server to end the stream, so that what was sent last arrives.
const grace = 500 * time.Millisecond

// Close ends the session for good: new calls fail with ErrClosed at once, those that wait are told so, messages that
// wait for a handler are dropped. Sends that no stream has yet fail at once, so wait before for those that matter; those
// that the stream has may still get their receipts. It returns within a second, gives the server half of it to take what
// was sent, and always returns nil. Handlers and callbacks that run go on, with their context cancelled; Done tells when
// they have ended. It may be called from anywhere, a handler included, and more than once.
func (s *Session) Close() error {
	s.end(ErrClosed)
	return nil
}

// end closes the session. It waits for no code of the application.
func (s *Session) end(reason error) {
	found, live, ok := s.move(StateClosed, nil, reason,
		StateIdle, StateConnecting, StateConnected, StateReconnecting)
	if !ok {
		<-s.closed
		return
	}
	if found == StateConnected {
		s.disconnected(reason)
	}
	s.lanes.close()
	s.outbox.shut(s.closedError(), true)
	close(s.closing)
	s.saves.last()
	if live != nil {
		awaitEnd(live)
	}
	s.saves.await()
	s.cancel(ErrClosed)
	if s.owned {
		s.group.start(func() {
			if err := s.conn.Close(); err != nil {
				s.config.log.Debug("the connection was closed already", "error", err)
			}
		})
	}
	s.group.seal()
	s.group.leave()
	close(s.closed)
}

// onClose calls f when the session closes, unless stop was called before.
func (s *Session) onClose(f func()) (stop func() bool) { return context.AfterFunc(s.ctx, f) }

func awaitEnd(st *stream) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-st.gone:
	case <-timer.C:
	}
}
