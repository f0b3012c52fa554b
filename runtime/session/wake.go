package session

import (
	"context"
	"sync"
)

// Wake ends the wait before the next try to reconnect, as an application does that knows that the network is back. A try
// that runs is not disturbed; if it fails, the next one follows at once. It changes nothing while the session is
// connected. A try that Wake has brought forward counts as any other.
func (s *Session) Wake() { s.waker.wake() }

// waker cuts waits short.
type waker struct {
	mu     sync.Mutex         // held for assignments only; cancel does not wait
	cancel context.CancelFunc // of the wait that runs
	called bool               // since reset, while there was none
}

// reset forgets the calls that came before.
func (w *waker) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.called = false
}

// during lets wake call cancel until end is called.
func (w *waker) during(cancel context.CancelFunc) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel = cancel
	if w.called {
		w.called = false
		cancel()
	}
	return w.over
}

func (w *waker) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel = nil
}

func (w *waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel == nil {
		w.called = true
		return
	}
	w.cancel()
}
