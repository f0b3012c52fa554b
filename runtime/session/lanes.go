package session

import "sync"

// lanes run work in order per room and in parallel between rooms. A goroutine lives only while there is work.
type lanes struct {
	group    *group
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
	room  string
	queue []func()
	space chan struct{} // not nil while a reader waits for room in the queue
}

func newLanes(g *group, capacity, workers int) *lanes {
	return &lanes{
		group: g, capacity: capacity, workers: workers,
		rooms: make(map[string]*lane), stop: make(chan struct{}),
	}
}

// push puts work at the end of its room's lane. When the lane is full it calls full, waits for room, then calls resumed.
// The end of stop, or of all lanes, ends that wait and drops the work.
func (l *lanes) push(stop <-chan struct{}, room string, work func(), full, resumed func()) {
	space := l.try(room, work)
	if space == nil {
		return
	}
	full()
	defer resumed()
	for space != nil {
		select {
		case <-space:
			space = l.try(room, work)
		case <-l.stop:
			return
		case <-stop:
			return
		}
	}
}

// try gives a channel that closes when there may be room, or nil if the work is taken or dropped.
func (l *lanes) try(room string, work func()) <-chan struct{} {
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
	if len(current.queue) >= l.capacity {
		if current.space == nil {
			current.space = make(chan struct{})
		}
		return current.space
	}
	current.queue = append(current.queue, work)
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

// serve runs a lane's work, then that of whichever lane is ready, until there is none.
func (l *lanes) serve(current *lane) {
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
	current.queue[0] = nil
	current.queue = current.queue[1:]
	if current.space != nil {
		close(current.space)
		current.space = nil
	}
	return work
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
