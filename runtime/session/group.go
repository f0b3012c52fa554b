package session

import "sync"

// group counts the goroutines of a session. Done closes once it is sealed and all have ended.
type group struct {
	mu     sync.Mutex
	count  int
	sealed bool
	done   chan struct{}
}

func newGroup() *group { return &group{done: make(chan struct{})} }

// start runs f in a goroutine, unless the group has ended. A goroutine of the group may always start another.
func (g *group) start(f func()) bool {
	if !g.enter() {
		return false
	}
	go func() {
		defer g.leave()
		f()
	}()
	return true
}

// enter counts the caller in. It fails if the group is sealed and empty: then done is closed.
func (g *group) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sealed && g.count == 0 {
		return false
	}
	g.count++
	return true
}

func (g *group) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count--
	if g.sealed && g.count == 0 {
		close(g.done)
	}
}

// seal lets the group end. Only a counted goroutine may call it, once.
func (g *group) seal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
}
