//go:build !contract

package sdk

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// This file stands for contract.go until main has what that one needs. Then it goes, and the tag of the other one too.

// Receiving is what a session is given for what it receives.
type Receiving struct {
	OnGap  func(room string, after, next ledger.Place) // nil: nothing
	Window int                                         // bytes; 0: the default
	Store  *CursorStore                                // nil: none
}

// Options are the session's options.
func (r Receiving) Options() []session.Option { return nil }

// CursorStore keeps cursors in memory, over the lives of several sessions.
type CursorStore struct{}

// NewCursorStore makes an empty one.
func NewCursorStore() *CursorStore { return &CursorStore{} }

// Outbox bounds what a session has sent without a receipt.
func Outbox(_, _ int) []session.Option { return nil }

// ServerOptions give a server its log.
func ServerOptions(roomlog.Engine) []server.Option { return nil }

// Retention is how much a memory engine keeps.
type Retention struct {
	Messages int
	Bytes    int64 // of a room, and of all
}

// MemoryLog makes an engine in memory. Today there is none, and servers have their own.
func MemoryLog(Retention) roomlog.Engine { return noLog{} }

type noLog struct{ roomlog.Engine }

// DedupeWindow is all that anybody asks for today.
func (noLog) DedupeWindow() time.Duration { return time.Minute }

// Forget drops a room's log as if it was lost.
func Forget(roomlog.Engine, string) {}

// Drain ends a server as an operator does.
func Drain(_ context.Context, srv *server.Server, g *grpc.Server) {
	srv.Close()
	g.Stop()
}

// Pending is a send that goes on by itself.
type Pending interface {
	Wait(ctx context.Context) (*runtime.Receipt, error)
}

// Sender sends one after the other, in the order of Send, as SendAsync will.
type Sender struct {
	session *session.Session
	mu      sync.Mutex
	last    chan struct{}
}

// NewSender makes a sender on a session. Its methods are for one goroutine.
func NewSender(s *session.Session) *Sender {
	done := make(chan struct{})
	close(done)
	return &Sender{session: s, last: done}
}

// Send sends a message; the result comes later.
func (s *Sender) Send(ctx context.Context, out *runtime.Outgoing) Pending {
	s.mu.Lock()
	before := s.last
	p := &pending{done: make(chan struct{})}
	s.last = p.done
	s.mu.Unlock()
	go func() {
		defer close(p.done)
		<-before
		p.receipt, p.err = s.session.Send(ctx, out)
	}()
	return p
}

type pending struct {
	done    chan struct{}
	receipt *runtime.Receipt
	err     error
}

func (p *pending) Wait(ctx context.Context) (*runtime.Receipt, error) {
	select {
	case <-p.done:
		return p.receipt, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Outcome says what a send's error means for its message.
func Outcome(err error) ledger.Kind {
	if errors.Is(err, session.ErrMaybeDelivered) {
		return ledger.Maybe
	}
	return ledger.Never
}
