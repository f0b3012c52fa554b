package runtime

import (
	"context"
	"sync"

	"google.golang.org/grpc/status"
)

// Pending is a send that goes on by itself: what SendAsync and a generated SendXAsync return. It keeps the result for
// whoever asks, however often and however late. All methods are safe for concurrent use.
type Pending struct {
	done    chan struct{}
	receipt *Receipt // this and err are set before done is closed
	err     error
}

// NewPending makes one, and the function that gives it its result: for sessions, and for those that stand in for one in
// tests. The function may be called by any goroutine; only its first call counts.
func NewPending() (pending *Pending, resolve func(receipt *Receipt, err error)) {
	p := &Pending{done: make(chan struct{})}
	var once sync.Once
	return p, func(receipt *Receipt, err error) {
		once.Do(func() {
			p.receipt, p.err = receipt, err
			close(p.done)
		})
	}
}

// Done is closed once the result is there.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait waits for the result, which is the same as that of a send that waits. If ctx ends first, the error is an [*Error]
// with the cause of that, Done is still open, and the send goes on: only the context that it was started with gives it up.
func (p *Pending) Wait(ctx context.Context) (*Receipt, error) {
	select {
	case <-p.done:
		return p.receipt, p.err
	case <-ctx.Done():
	}
	if receipt, done, err := p.Result(); done { // both at once
		return receipt, err
	}
	return nil, &Error{
		Op: "wait for a send", Code: status.FromContextError(ctx.Err()).Code(),
		Message: "the wait ended, the send goes on", Err: context.Cause(ctx),
	}
}

// Result gives the result if it is there, without waiting.
func (p *Pending) Result() (receipt *Receipt, done bool, err error) {
	select {
	case <-p.done:
		return p.receipt, true, p.err
	default:
		return nil, false, nil
	}
}
