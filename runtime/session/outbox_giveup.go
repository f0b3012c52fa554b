package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Why a send is given up that nobody has given up.
var (
	errBehind = errors.New("a send before it in the room was given up, and nobody knows whether it was delivered")
	errNewLog = errors.New("the room's log is another one than the one that it was sent to")
	errTooOld = errors.New("it was sent so long ago that the server would not recognise a repeat")
	errSilent = errors.New("the stream broke, and the next one gives no receipts")
)

// giveUp ends a send whose context has ended; why says more. What was decided before stays so.
func (o *outbox) giveUp(j *job, why error) {
	code := status.FromContextError(j.ctx.Err()).Code()
	o.mu.Lock()
	defer o.unlock()
	switch {
	case j.state == jobDecided, j.state == jobGhost:
	case j.state == jobWaiting:
		o.lose(j, code, fmt.Errorf("the outbox is full: %w", why))
	case j.state == jobWritten && j.handed > 0 && j.number > 0:
		o.makeGhost(j, code, why)
	case j.state == jobQueued && j.handed > 0:
		o.loseWithThoseBehind(j, code, why)
	default:
		o.lose(j, code, why)
	}
}

// makeGhost tells the result of a job and leaves it in its place.
func (o *outbox) makeGhost(j *job, code codes.Code, why error) {
	j.err = lost(j, code, why)
	j.state, j.request = jobGhost, nil
	o.bytes -= j.size
	o.decided = append(o.decided, j)
	o.admitMore()
}

// loseWithThoseBehind gives up a job whose outcome is unknown, and with it what is behind it in its room and not on the
// live stream.
func (o *outbox) loseWithThoseBehind(j *job, code codes.Code, why error) {
	behind := o.behind(j) // before places become free
	o.lose(j, code, why)
	for _, other := range behind {
		o.lose(other, codes.Aborted, errBehind)
	}
}

// behind gives the sends behind a job in its room, those too that wait for a place.
func (o *outbox) behind(j *job) []*job {
	var found []*job
	for _, first := range []*job{j.next, o.waiting.front} {
		for other := first; other != nil; other = other.next {
			if other.out.RoomID == j.out.RoomID && !other.onStream() {
				found = append(found, other)
			}
		}
	}
	return found
}

// watchAge sees to it that those that wait for another stream are given up in time.
func (o *outbox) watchAge() {
	if o.timer != nil {
		o.timer.Stop()
	}
	var first time.Time
	for j := o.unwritten; j != nil; j = j.next {
		if j.tried && !j.deadline.IsZero() && (first.IsZero() || j.deadline.Before(first)) {
			first = j.deadline
		}
	}
	if !first.IsZero() {
		o.timer = time.AfterFunc(max(time.Until(first), time.Millisecond), o.loseOld) // never at once: the lock is held
	}
}

// loseOld gives up those that wait for another stream and are too old for it.
func (o *outbox) loseOld() {
	o.mu.Lock()
	defer o.unlock()
	now, wall := time.Now(), o.wall()
	for j := o.unwritten; j != nil; {
		if !j.tooOld(now, wall) {
			j = j.next
			continue
		}
		o.loseWithThoseBehind(j, codes.Unavailable, errTooOld)
		j = o.unwritten // some behind it are gone too
	}
	if !o.closed {
		o.watchAge()
	}
}

// bind gives a job up when its context ends.
func (o *outbox) bind(j *job, why func(ctx context.Context) error) {
	if j.ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(j.ctx, func() { o.giveUp(j, why(j.ctx)) })
	o.mu.Lock()
	defer o.mu.Unlock()
	if j.state == jobDecided || j.state == jobGhost {
		stop()
		return
	}
	j.release = append(j.release, func() { stop() })
}
