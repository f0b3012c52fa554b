package session

import "sync"

// awaited knows whether anybody waits for the server: for a receipt, a JOINED, a LEFT, or for the stream to take a
// message. The reader may not stand still then. The one who waits may be the handler of the very lane that is full.
type awaited struct {
	mu    sync.Mutex // held for assignments only
	count int
	some  chan struct{} // closed while count > 0
}

func newAwaited() *awaited { return &awaited{some: make(chan struct{})} }

// begin counts one who waits; end is called when it has its answer.
func (a *awaited) begin() (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count == 0 {
		close(a.some)
	}
	a.count++
	return a.end
}

func (a *awaited) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count--
	if a.count == 0 {
		a.some = make(chan struct{})
	}
}

// anybody is closed while somebody waits, or will be when somebody does. It is good for one look.
func (a *awaited) anybody() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.some
}
