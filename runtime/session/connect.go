package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// Connect opens the session's stream. It tries once, for at most the connect timeout; its error names the target and the
// reason, and the session is idle again, so that Connect may be called again. From then on the session comes back by
// itself when the stream breaks (WithReconnect). Messages may reach handlers before Connect returns.
//
// Errors: ErrAlreadyConnected, ErrClosed; a refusal of the user or of the default room, with the server's code; what the
// CursorStore's Load returned.
func (s *Session) Connect(ctx context.Context) error {
	if !s.group.enter() {
		return s.connectError(ctx, s.closedError())
	}
	defer s.group.leave()
	if found, _, ok := s.move(StateConnecting, nil, nil, StateIdle); !ok {
		if found == StateClosed {
			return s.connectError(ctx, s.closedError())
		}
		return ErrAlreadyConnected
	}
	s.outbox.open()
	st, err := s.firstStream(ctx)
	if err != nil {
		s.outbox.shut(fmt.Errorf("%w: %w", ErrNotConnected, err), false)
		s.move(StateIdle, nil, nil, StateConnecting)
		return err
	}
	if !s.goLive(st, StateConnecting) { //nolint:contextcheck // what it starts lives with the stream
		return s.connectError(ctx, s.closedError())
	}
	s.group.start(func() { s.supervise(st) }) //nolint:contextcheck // it outlives this call
	return nil
}

// firstStream loads the cursors and opens a stream, within the connect timeout.
func (s *Session) firstStream(ctx context.Context) (*stream, error) {
	bounded, cancel := s.connectContext(ctx)
	defer cancel()
	if err := s.loadCursors(bounded); err != nil {
		return nil, err
	}
	st, err := s.attempt(bounded)
	if err != nil {
		return nil, s.connectError(ctx, err)
	}
	return st, nil
}

// connectContext bounds ctx by the connect timeout.
func (s *Session) connectContext(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := s.config.timing.connect
	return context.WithTimeoutCause(ctx, timeout, connectTimeout(timeout))
}

// goLive makes a stream the live one, unless the session was closed meanwhile.
func (s *Session) goLive(st *stream, from State) bool {
	st.ready = time.Now()
	if _, _, ok := s.move(StateConnected, st, nil, from); !ok {
		st.kill(ErrClosed)
		return false
	}
	close(st.live)
	s.config.log.Info("connected", "target", s.target, "stream", s.streams.Load(),
		"handshake", st.capabilities().Handshake)
	if len(s.rooms.outside()) > 0 {
		s.group.start(func() { s.joinLater(st) })
	}
	return true
}

// establish opens a stream and readies it: handshake, then rooms. ctx bounds that, not the stream.
func (s *Session) establish(ctx context.Context) (*stream, error) {
	st, err := s.openStream(ctx)
	if err != nil {
		return nil, orCause(ctx, err)
	}
	err = st.shake(ctx, s.peer.expectsHeader())
	if err == nil && s.outbox.unsure() {
		st.late(ctx) // a server without receipts would leave those sends in doubt for good
	}
	if err == nil {
		err = s.enterRooms(ctx, st)
	}
	if err != nil {
		err = orCause(ctx, err)
		st.kill(err)
		s.withoutHeader(ctx, st, err)
		return nil, err
	}
	s.peer.is(st.capabilities().Handshake)
	return st, nil
}

// connectTimeout is the cause of a try that took too long.
type connectTimeout time.Duration

func (d connectTimeout) Error() string {
	return fmt.Sprintf("no answer within the connect timeout of %s", time.Duration(d))
}

func (connectTimeout) Unwrap() error { return context.DeadlineExceeded }

// orCause prefers why ctx ended to what gRPC makes of it.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// connectError says where a try to connect went, why it failed, and what to look at.
func (s *Session) connectError(ctx context.Context, err error) error {
	if s.State() == StateClosed {
		err = s.closedError()
	}
	e := &runtime.Error{Op: "connect to " + s.target, Code: stateCode(err), Err: err}
	if typed, ok := errors.AsType[*runtime.Error](err); ok {
		e.Code, e.RoomID, e.Message, e.Err = typed.Code, typed.RoomID, typed.Message, typed.Err
	} else if _, ok := status.FromError(err); ok {
		e.Err = rpcError{err}
	}
	if ctx.Err() == nil && e.Code == codes.Unavailable && e.Err != nil {
		e.Message = explainConnect(e.Err.Error(), s.State() == StateReconnecting)
	}
	if e.Code == codes.DeadlineExceeded && s.conn != nil {
		e.Message = "the connection is " + s.conn.GetState().String() + ": check the target, firewalls, and TLS or plaintext"
	}
	return e
}
