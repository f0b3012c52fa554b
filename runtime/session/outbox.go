package session

import (
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// outbox holds every send that is not decided, from Send until the receipt: queued for a stream, or written to one. It
// outlives streams. What a broken stream leaves undecided is written again to the next one, under the same ids and
// numbers, in the same order, before what is newer.
//
// It is one list over all rooms. What the live stream has is at its front, what waits for that behind it; unwritten is
// where the second part begins. A stream's writer moves the border on, a stream's end moves it back to the front.
//
// Nothing leaves the outbox without a word. A send is decided
//
//   - by a receipt. A refusal is a receipt, and fails that send alone;
//   - by a stream without receipts, once it has taken the message;
//   - by giving it up: its context ends, the session closes, or it may not be repeated (the room's log is another one,
//     the server would not recognise a repeat any more, the next stream has no receipts). If it was handed to a stream
//     before, nobody knows what became of it: ErrMaybeDelivered. Otherwise it was certainly not delivered:
//     ErrNotDelivered.
//
// Order and what was given up. The sends of a room are in one order, and an application that sends b after a may rely on
// a where b is. So a send that was given up with an unknown outcome takes along what is queued behind it in its room.
// That is refined here, so that a caller's short deadline does not fail everybody else's sends while all is well: given up
// while the live stream has it, a send stays as a ghost in its room's order, which the next one names as its
// predecessor. What is behind it goes on, for the server decides the ghost first. Only if the stream ends before its
// receipt came, what is behind the ghost in that room fails. The same happens at once behind a send that is given up with
// an unknown outcome while no stream has it, and behind one that may not be repeated because of its log or its age.
// What the live stream has already stays out of it: it will be decided.
type outbox struct {
	maxMessages, maxBytes int
	noWait                bool
	toNewLog              bool
	logEpoch              func(room string) uint64 // of the room's log, 0 if it is not known
	wall                  func() time.Time         // the wall clock; tests have one of their own
	// wake has something when there may be something to write.
	wake chan struct{}

	mu        sync.Mutex // held for map and list operations only; see unlock
	refusal   error      // why it takes nothing; nil: it does
	closed    bool       // the refusal is for ever
	held      uint32     // the number of a stream that gets no more: it is about to end
	jobs      jobList
	unwritten *job // the first one that the live stream does not have
	waiting   jobList
	count     int // of jobs, ghosts too
	bytes     int // of jobs, not of ghosts: nobody will send them again
	onStream  int // how many the live stream has
	idle      chan struct{}
	orders    uint64
	rooms     map[string]*roomSends
	floor     uint64 // no number of a dropped room is higher
	recent    recentIDs
	timer     *time.Timer // for the first deadline of those that wait to be sent again
	decided   []*job      // while the lock is held: whose results have to be told
}

func newOutbox(c *sending, logEpoch func(room string) uint64) *outbox {
	return &outbox{
		maxMessages: c.outboxMessages, maxBytes: c.outboxBytes, noWait: c.outboxNoWait, toNewLog: c.toNewLog,
		logEpoch: logEpoch, wall: func() time.Time { return time.Now().Round(0) },
		wake: make(chan struct{}, 1), refusal: ErrNotConnected,
		rooms: make(map[string]*roomSends), recent: newRecentIDs(),
	}
}

// unlock tells the results of what was decided under the lock, once it is free.
func (o *outbox) unlock() {
	decided := o.decided
	o.decided = nil
	o.mu.Unlock()
	for _, j := range decided {
		j.finish()
	}
}

// put takes a job. If it has to wait for a place, the channel tells when it has one, or is decided. Those that wait get
// their places in the order of their calls. An error means that the outbox did not take it.
func (o *outbox) put(j *job) (wait <-chan struct{}, err error) {
	o.mu.Lock()
	defer o.unlock()
	switch {
	case o.refusal != nil:
		return nil, o.refusal
	case o.waiting.front == nil && o.fits(j):
		o.admit(j)
		return nil, nil //nolint:nilnil // it has its place, and nothing is wrong
	case o.noWait:
		return nil, ErrOutboxFull
	}
	j.state, j.admitted = jobWaiting, make(chan struct{})
	o.waiting.pushBack(j)
	return j.admitted, nil
}

// fits tells whether there is a place. One that is larger than the whole outbox has one when it is empty.
func (o *outbox) fits(j *job) bool {
	return o.count < o.maxMessages && (o.bytes == 0 || o.bytes+j.size <= o.maxBytes)
}

// admit puts a job at the end of the queue.
func (o *outbox) admit(j *job) {
	o.orders++
	j.state, j.order = jobQueued, o.orders
	o.count++
	o.bytes += j.size
	o.jobs.pushBack(j)
	if o.unwritten == nil {
		o.unwritten = j
	}
	o.wakeWriter()
}

// admitMore gives places to those that wait, in their order.
func (o *outbox) admitMore() {
	for j := o.waiting.front; j != nil && o.fits(j); j = o.waiting.front {
		o.waiting.remove(j)
		o.admit(j)
		close(j.admitted)
	}
}

func (o *outbox) wakeWriter() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// decide ends a job, wherever it is.
func (o *outbox) decide(j *job, receipt *runtime.Receipt, err error) {
	if j.state == jobDecided {
		return
	}
	told := j.state == jobGhost // when it was given up
	switch j.state {
	case jobWaiting:
		o.waiting.remove(j)
		close(j.admitted)
	case jobQueued, jobWritten, jobGhost:
		o.drop(j)
	default:
	}
	j.state = jobDecided
	if !told {
		j.receipt, j.err = receipt, err
		o.decided = append(o.decided, j)
	}
	o.admitMore()
}

// drop takes a job out of the list.
func (o *outbox) drop(j *job) {
	if o.unwritten == j {
		o.unwritten = j.next
	}
	o.jobs.remove(j)
	if j.onStream() {
		o.forgetNumber(j)
		o.leftStream()
	}
	if j.state != jobGhost {
		o.bytes -= j.size
	}
	o.count--
}

// leftStream counts one that the live stream has no more.
func (o *outbox) leftStream() {
	o.onStream--
	if o.onStream == 0 && o.idle != nil {
		close(o.idle)
		o.idle = nil
	}
}

// open lets it take sends: the session connects.
func (o *outbox) open() {
	o.mu.Lock()
	defer o.unlock()
	if !o.closed {
		o.refusal = nil
	}
}

// shut fails all that waits, and what comes, until it is opened again. What the live stream has goes on until that ends.
func (o *outbox) shut(reason error, forEver bool) {
	o.mu.Lock()
	defer o.unlock()
	if o.closed {
		return
	}
	o.refusal, o.closed = reason, forEver
	o.failUndelivered()
}

// failUndelivered gives up all that the live stream does not have.
func (o *outbox) failUndelivered() {
	if o.timer != nil {
		o.timer.Stop()
	}
	for j := o.waiting.front; j != nil; j = o.waiting.front {
		o.lose(j, stateCode(o.refusal), o.refusal)
	}
	for j := o.unwritten; j != nil; j = o.unwritten {
		code := stateCode(o.refusal)
		if j.handed > 0 {
			code = codes.Unavailable
		}
		o.lose(j, code, o.refusal)
	}
}

// lose ends a job without a receipt, with the error that says what is known of it.
func (o *outbox) lose(j *job, code codes.Code, cause error) {
	o.decide(j, nil, lost(j, code, cause))
}

// lost is that error.
func lost(j *job, code codes.Code, cause error) error {
	if j.handed > 0 {
		return maybeDelivered(j.out, code, cause)
	}
	return notDelivered(j.out, code, cause)
}
