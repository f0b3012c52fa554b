package session

import (
	"context"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// job is one send, from the moment that the outbox has it until it is decided.
type job struct {
	ctx     context.Context //nolint:containedctx // the caller's; the writer sends nothing for one who has gone
	out     *runtime.Outgoing
	request *imv1.MessageRequest // the writer's, once it has the job
	size    int
	// result is called once, with no lock held.
	result func(receipt *runtime.Receipt, err error)

	// What follows is guarded by the outbox's lock.

	prev, next *job // in the list that the job is in
	state      jobState
	order      uint64        // of its admission, over all rooms
	admitted   chan struct{} // closed when it has a place, or is decided; nil if it never had to wait for one
	release    []func()      // called once it is decided

	number   uint64 // its send number; 0: none so far
	handed   int    // to how many streams it was handed
	tried    bool   // in the log of that epoch, first at that time; what is sent again is a repeat there
	epoch    uint64 // 0: the server named none
	since    time.Time
	deadline time.Time // no repeat after that; zero: whenever

	receipt *runtime.Receipt // how it was decided
	err     error
}

// jobState says where a job is.
type jobState uint8

const (
	jobNew     jobState = iota
	jobWaiting          // for a place in the outbox
	jobQueued           // for a stream, the first or another one
	jobWritten          // to the live stream, which has not decided it
	jobGhost            // the same, but the caller has given it up
	jobDecided
)

func newJob(ctx context.Context, out *runtime.Outgoing, request *imv1.MessageRequest, size int) *job {
	return &job{ctx: ctx, out: out, request: request, size: size}
}

// try says in the request in which log it was tried first, or notes that this is the first try in the room's log.
func (j *job) try(epoch uint64, window time.Duration) {
	if j.tried {
		j.request.Epoch = j.epoch
		return
	}
	j.tried, j.since, j.epoch, j.deadline = true, time.Now(), epoch, time.Time{}
	j.request.Epoch = 0
	j.bound(window)
}

// bound keeps repeats within what the server of a stream remembers. 0: it does not say.
func (j *job) bound(window time.Duration) {
	if window <= 0 {
		return
	}
	last := j.since.Add(window - window/10) // a repeat takes its time to arrive
	if j.deadline.IsZero() || last.Before(j.deadline) {
		j.deadline = last
	}
}

// tooOld tells whether a job may not be sent again because of its age. It is by either clock: the monotonic one may stand still
// while the machine sleeps, and the wall clock may be set back.
func (j *job) tooOld(now, wall time.Time) bool {
	return j.tried && !j.deadline.IsZero() && (!now.Before(j.deadline) || !wall.Before(j.deadline.Round(0)))
}

// onStream tells whether the live stream has it.
func (j *job) onStream() bool { return j.state == jobWritten || j.state == jobGhost }

// finish tells the result. No lock is held.
func (j *job) finish() {
	for _, release := range j.release {
		release()
	}
	j.result(j.receipt, j.err)
}

// jobList is a list of jobs. A job is in one list at a time.
type jobList struct{ front, back *job }

func (l *jobList) pushBack(j *job) { l.insert(j, nil) }

// insert puts a job before another one, or at the end.
func (l *jobList) insert(j, before *job) {
	j.next, j.prev = before, l.back
	if before != nil {
		j.prev = before.prev
		before.prev = j
	} else {
		l.back = j
	}
	if j.prev != nil {
		j.prev.next = j
	} else {
		l.front = j
	}
}

func (l *jobList) remove(j *job) {
	if j.prev != nil {
		j.prev.next = j.next
	} else {
		l.front = j.next
	}
	if j.next != nil {
		j.next.prev = j.prev
	} else {
		l.back = j.prev
	}
	j.prev, j.next = nil, nil
}
