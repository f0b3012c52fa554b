package session

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
)

// maxWaitingErrors bounds the OnError calls that wait.
const maxWaitingErrors = 1024

// callbacks runs the lifecycle functions one after the other, in order, in a goroutine that lives only while there is
// something to run.
type callbacks struct {
	group *group
	log   *slog.Logger

	mu      sync.Mutex // guards what follows; never held while a function runs
	queue   []callback
	errors  int // of those in the queue
	running bool
}

type callback struct {
	run     func()
	isError bool
}

// add puts a function at the end of the queue. It never blocks.
func (c *callbacks) add(run func()) { c.push(callback{run: run}) }

// addError does it for an OnError call, which is dropped where too many wait.
func (c *callbacks) addError(run func()) bool { return c.push(callback{run: run, isError: true}) }

func (c *callbacks) push(next callback) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if next.isError {
		if c.errors >= maxWaitingErrors {
			return false
		}
		c.errors++
	}
	c.queue = append(c.queue, next)
	if !c.running {
		c.running = c.group.start(c.work)
	}
	return true
}

// work runs what waits. A function that ends its goroutine (runtime.Goexit, as a test's FailNow does) ends this one
// only: another goes on.
func (c *callbacks) work() {
	idle := false
	defer func() {
		if !idle {
			c.group.start(c.work)
		}
	}()
	for {
		next, ok := c.pop()
		if !ok {
			idle = true
			return
		}
		c.call(next.run)
	}
}

func (c *callbacks) pop() (callback, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.running, c.queue = false, nil
		return callback{}, false
	}
	next := c.queue[0]
	c.queue[0] = callback{}
	c.queue = c.queue[1:]
	if next.isError {
		c.errors--
	}
	return next, true
}

// call keeps a panic of the application's function from ending the session.
func (c *callbacks) call(run func()) {
	defer func() {
		if reason := recover(); reason != nil {
			c.log.Error("a callback panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
		}
	}()
	run()
}
