package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// SendAsync is [Session.Send] without the wait for the receipt; generated code calls it. It returns once the message has
// its place in the outbox, so that the messages of one goroutine are sent in the order of its calls; for a place, and
// for the send limit, it waits as Send does. ctx bounds the send until it is decided, not only the call.
//
// The result, an error that was found at once included, is kept by what is returned: never nil, for as many to wait for
// as like. A send that fails is logged at level Warn and counted in Stats, whether anybody looks at the result or not.
// OnError is not told.
//
// Interceptors stand around it as around Send, in a goroutine of their own; the content must not change before the
// result is there. Without interceptors it may change once SendAsync has returned.
func (s *Session) SendAsync(ctx context.Context, out *runtime.Outgoing) *runtime.Pending {
	pending, resolve := runtime.NewPending()
	tell := func(receipt *runtime.Receipt, err error) {
		if err != nil {
			s.asyncFailed(err)
		}
		resolve(receipt, err)
	}
	if err := s.readySend(out); err != nil {
		tell(nil, err)
		return pending
	}
	if len(s.config.sending.interceptors) > 0 {
		s.intercepted(ctx, out, tell)
		return pending
	}
	j, err := s.compose(ctx, out)
	if err != nil {
		tell(nil, err)
		return pending
	}
	j.result = tell
	wait, err := s.enqueue(j)
	if err != nil {
		tell(nil, err)
		return pending
	}
	s.outbox.bind(j, s.whyEnded)
	if wait != nil {
		<-wait
	}
	return pending
}

func (s *Session) asyncFailed(err error) {
	s.counters.asyncFailed.Add(1)
	typed, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		typed = new(runtime.Error)
	}
	s.config.log.Warn("an asynchronous send failed", "error", err, "room", typed.RoomID, "message_id", typed.MessageID)
}

// intercepted runs the interceptors, and a send within them, in a goroutine. It returns when the message has its place,
// or will not get one.
func (s *Session) intercepted(ctx context.Context, out *runtime.Outgoing, tell func(*runtime.Receipt, error)) {
	placed := make(chan struct{})
	var once sync.Once
	place := func() { once.Do(func() { close(placed) }) }
	var sent atomic.Bool
	id, room := out.ID, out.RoomID
	broken := func(what string) error { // of an interceptor that does not return
		sentinel := ErrNotDelivered
		if sent.Load() {
			sentinel = ErrMaybeDelivered
		}
		return &runtime.Error{
			Op: opSend, Code: codes.Internal, Kind: kindName(out), RoomID: room, MessageID: id,
			Err: fmt.Errorf("%w: a send interceptor %s", sentinel, what),
		}
	}
	send := func(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
		sent.Store(true)
		return s.sendStream(ctx, out, place)
	}
	started := s.group.start(func() {
		var receipt *runtime.Receipt
		var err error
		returned := false
		defer func() {
			switch reason := recover(); {
			case reason != nil:
				s.config.log.Error("a send interceptor panicked",
					"panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
				err = broken(fmt.Sprintf("panicked: %v", reason))
			case !returned:
				err = broken("ended its goroutine")
			}
			tell(receipt, err)
			place()
		}()
		receipt, err = runtime.ChainSend(s.config.sending.interceptors, send)(ctx, out)
		returned = true
	})
	if !started {
		tell(nil, notDelivered(out, stateCode(ErrClosed), s.closedError()))
		return
	}
	<-placed
}
