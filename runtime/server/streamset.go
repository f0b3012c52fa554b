package server

import (
	"maps"
	"slices"
	"sync"
)

// streamSet has every stream from its start to its end, and waits for the goroutines of all of them.
type streamSet struct {
	mu      sync.Mutex
	all     map[*stream]struct{}
	closed  bool           // takes no more
	empty   chan struct{}  // not nil: closed when there is none left
	running sync.WaitGroup // each goroutine of a stream or of notices; Add only under mu and before closed, or beside a counted one
}

// add takes a stream, or refuses it because the server is closing.
func (set *streamSet) add(st *stream) bool {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.closed {
		return false
	}
	if set.all == nil {
		set.all = make(map[*stream]struct{})
	}
	set.all[st] = struct{}{}
	set.running.Add(1)
	return true
}

// remove is the end of what add began.
func (set *streamSet) remove(st *stream) {
	set.mu.Lock()
	delete(set.all, st)
	set.checkEmpty()
	set.mu.Unlock()
	set.running.Done()
}

// checkEmpty tells drain. mu is held.
func (set *streamSet) checkEmpty() {
	if set.empty != nil && len(set.all) == 0 {
		close(set.empty)
		set.empty = nil
	}
}

// drain takes no more streams. It gives those that are there, and a channel that closes when all have ended.
func (set *streamSet) drain() ([]*stream, <-chan struct{}) {
	set.mu.Lock()
	defer set.mu.Unlock()
	set.closed = true
	empty := make(chan struct{})
	set.empty = empty
	set.checkEmpty()
	return slices.Collect(maps.Keys(set.all)), empty
}

func (set *streamSet) count() int {
	set.mu.Lock()
	defer set.mu.Unlock()
	return len(set.all)
}

func (set *streamSet) isClosed() bool {
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.closed
}

// close ends all streams with a reason and waits for them.
func (set *streamSet) close(reason error) {
	set.mu.Lock()
	set.closed = true
	for st := range set.all {
		st.end(reason)
	}
	set.mu.Unlock()
	set.running.Wait()
}
