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
	counted int           // of the queue
	space   chan struct{} // not nil while a reader waits for room in the queue
}

// laneWork is one piece of it. What a window bounds does not count against the lane's capacity.
type laneWork struct {
	run     func()
	counted bool
}

func newLanes(g *group, a *awaited, capacity, workers int) *lanes {
	return &lanes{
		group: g, awaited: a, capacity: capacity, workers: workers,
		rooms: make(map[string]*lane), stop: make(chan struct{}),
	}
}

// overflow is how many times its capacity a lane takes while somebody waits for the server.
const overflow = 16

// push puts work at the end of its room's lane. When the lane is full it calls full, waits for room, then calls resumed.
// It does not wait while somebody waits for the server: the lane then takes more than its capacity, and false says that
// it takes no more at all. The end of stop, or of all lanes, ends the wait and drops the work.
func (l *lanes) push(stop <-chan struct{}, room string, work func(), full, resumed func()) bool {
	space := l.try(room, work, l.capacity)
	if space == nil {
		return true
	}
	full()
	defer resumed()
	for space != nil {
		select {
		case <-space:
			space = l.try(room, work, l.capacity)
		case <-l.awaited.anybody():
			return l.try(room, work, overflow*l.capacity) == nil
		case <-l.stop:
			return true
		case <-stop:
			return true
		}
	}
	return true
}

// add puts work at the end of its room's lane, which the server's window bounds. It never waits.
func (l *lanes) add(room string, work func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.current(room).put(laneWork{run: work})
	}
}

// addCounted does it for work that no window bounds, where the reader may not wait. False: there is too much already.
func (l *lanes) addCounted(room string, work func()) bool {
	return l.try(room, work, overflow*l.capacity) == nil
}

func (l *lane) put(work laneWork) {
	l.queue = append(l.queue, work)
	if work.counted {
		l.counted++
	}
}

// try gives a channel that closes when there may be room, or nil if the work is taken or dropped.
func (l *lanes) try(room string, work func(), capacity int) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	current := l.current(room)
	if current.counted >= capacity {
		if current.space == nil {
			current.space = make(chan struct{})
		}
		return current.space
	}
	current.put(laneWork{run: work, counted: true})
	return nil
}

// current gives a room's lane, made and scheduled if there is none. mu is held until it has work.
func (l *lanes) current(room string) *lane {
	current, ok := l.rooms[room]
	if !ok {
		current = &lane{room: room}
		l.rooms[room] = current
		l.schedule(current)
	}
	return current
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
		if work := l.pop(current); work != nil {
			work()
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
	if work.counted {
		current.counted--
	}
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
