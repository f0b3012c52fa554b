package session

import "sync"

// lanes run work in order per room and in parallel between rooms. A goroutine lives only while there is work.
type lanes struct {
	group    *group
	awaited  *awaited
	capacity int // per room, of what waits
	workers  int // at most

	mu      sync.Mutex // guards what follows; never held while work runs
	rooms   map[string]*lane
	ready   []*lane // with work and without a worker
	running int
	closed  bool
	stop    chan struct{} // closed with closed
}

// lane is the work of one room.
type lane struct {
	room    string
	queue   []laneWork
	bounded int           // of the queue: work that the capacity bounds
	space   chan struct{} // not nil while a reader waits for room in the queue
}

// laneWork is a piece of work. One that a window bounds at its server counts for no capacity.
type laneWork struct {
	run      func()
	windowed bool
}

// pushed says what became of work.
type pushed uint8

const (
	pushedIn   pushed = iota // it will run
	pushedAway               // it was dropped: the stream or the session ends
	pushedOver               // it was dropped: far too much waits
)

func newLanes(g *group, a *awaited, capacity, workers int) *lanes {
	return &lanes{
		group: g, awaited: a, capacity: capacity, workers: workers,
		rooms: make(map[string]*lane), stop: make(chan struct{}),
	}
}

// overflow is how many times its capacity a lane takes while somebody waits for the server.
const overflow = 16

// push puts work at the end of its room's lane. When the lane is full it calls full, waits for room, then calls resumed.
// It does not wait while somebody waits for the server: the lane then takes more than its capacity, up to overflow. The
// end of stop, or of all lanes, ends the wait and drops the work.
func (l *lanes) push(stop <-chan struct{}, room string, run func(), full, resumed func()) pushed {
	work := laneWork{run: run}
	space := l.try(room, work, l.capacity)
	if space == nil {
		return pushedIn
	}
	full()
	defer resumed()
	for space != nil {
		select {
		case <-space:
			space = l.try(room, work, l.capacity)
		case <-l.awaited.anybody():
			if l.try(room, work, overflow*l.capacity) != nil {
				return pushedOver
			}
			return pushedIn
		case <-l.stop:
			return pushedAway
		case <-stop:
			return pushedAway
		}
	}
	return pushedIn
}

// put is push for a stream whose reader never waits. Windowed work is always taken, other work up to overflow.
func (l *lanes) put(room string, work laneWork) pushed {
	if l.try(room, work, overflow*l.capacity) != nil {
		return pushedOver
	}
	return pushedIn
}

// try gives a channel that closes when there may be room, or nil if the work is taken or dropped.
func (l *lanes) try(room string, work laneWork, capacity int) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	current, ok := l.rooms[room]
	if !ok {
		current = &lane{room: room}
		l.rooms[room] = current
		l.schedule(current)
	}
	if !work.windowed && current.bounded >= capacity {
		if current.space == nil {
			current.space = make(chan struct{})
		}
		return current.space
	}
	current.queue = append(current.queue, work)
	if !work.windowed {
		current.bounded++
	}
	return nil
}

// schedule finds a worker for a lane that has become active.
func (l *lanes) schedule(current *lane) {
	if l.running < l.workers && l.group.start(func() { l.serve(current) }) {
		l.running++
		return
	}
	l.ready = append(l.ready, current)
}

// serve runs a lane's work, then that of whichever lane is ready, until there is none. Work that ends its goroutine
// (runtime.Goexit, as a test's FailNow does) ends this one only: another goes on.
func (l *lanes) serve(current *lane) {
	defer func() {
		if current == nil {
			return
		}
		if current = l.following(current); current != nil {
			l.group.start(func() { l.serve(current) })
		}
	}()
	for current != nil {
		if run := l.pop(current); run != nil {
			run()
		}
		current = l.following(current)
	}
}

func (l *lanes) pop(current *lane) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(current.queue) == 0 { // the lanes were closed
		return nil
	}
	work := current.queue[0]
	current.queue[0] = laneWork{}
	current.queue = current.queue[1:]
	if work.windowed {
		return work.run
	}
	current.bounded--
	if current.space != nil {
		close(current.space)
		current.space = nil
	}
	return work.run
}

// following is where a worker goes on after a piece of work: another lane that waits has its turn first.
func (l *lanes) following(current *lane) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(current.queue) == 0 {
		delete(l.rooms, current.room)
		return l.takeReady()
	}
	if len(l.ready) == 0 {
		return current
	}
	l.ready = append(l.ready, current)
	return l.takeReady()
}

func (l *lanes) takeReady() *lane {
	if len(l.ready) == 0 {
		l.running--
		return nil
	}
	following := l.ready[0]
	l.ready[0] = nil
	l.ready = l.ready[1:]
	return following
}

// close drops what waits. Work that runs goes on. It is called once.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.stop)
	for _, current := range l.rooms {
		current.queue = nil
	}
}
