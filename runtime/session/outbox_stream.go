package session

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
)

// maxIdleRooms is how many rooms without a send on the stream keep their numbers. One that is dropped beyond it goes on
// from the highest number of those dropped: numbers have to rise, not to be dense.
const maxIdleRooms = 1024

// roomSends are the numbered sends of one room.
type roomSends struct {
	last    uint64 // the highest number
	written []*job // to the live stream and undecided, by number
}

// next is the job to write to a stream now, or nil.
func (o *outbox) next(stream uint32) *job {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held == stream {
		return nil
	}
	return o.unwritten
}

// take readies a job for the live stream, whose contract is c: it belongs to that from now on. False: it is decided by
// now, because of what the stream has, or because it may not be sent again.
func (o *outbox) take(j *job, c *contract) (request *imv1.MessageRequest, ok bool) {
	o.mu.Lock()
	defer o.unlock()
	if o.unwritten != j {
		return nil, false
	}
	receipts := c.known().Receipts && j.request.GetType() != imv1.MessageType_MESSAGE_TYPE_ACK
	epoch := o.logEpoch(j.out.RoomID)
	if j.tried {
		j.bound(c.dedupeWindow())
	}
	otherLog := j.tried && epoch != 0 && epoch != j.epoch
	if otherLog && o.toNewLog {
		j.tried, otherLog = false, false
	}
	if o.barred(j, c, receipts, otherLog) {
		return nil, false
	}
	j.try(epoch, c.dedupeWindow())
	o.ready(j, receipts)
	return j.request, true
}

// barred ends a job that the live stream may not have.
func (o *outbox) barred(j *job, c *contract, receipts, otherLog bool) bool {
	wrong := checkSize(j.out, j.size, c)
	switch {
	case wrong != nil && j.handed == 0:
		o.decide(j, nil, wrong)
	case wrong != nil:
		o.loseWithThoseBehind(j, codes.InvalidArgument, wrong)
	case !receipts && j.handed > 0:
		o.lose(j, codes.Unavailable, errSilent) // such a stream promises no order
	case j.tooOld(time.Now(), o.wall()):
		o.loseWithThoseBehind(j, codes.Unavailable, errTooOld)
	case otherLog:
		o.loseWithThoseBehind(j, codes.DataLoss, errNewLog)
	default:
		return false
	}
	return true
}

// ready gives a job to the live stream.
func (o *outbox) ready(j *job, receipts bool) {
	j.request.SendNumber, j.request.PrevSendNumber = 0, 0
	if receipts {
		o.number(j)
	} else {
		j.number = 0
		o.recent.add(j.out.ID)
	}
	j.state = jobWritten
	j.handed++
	o.onStream++
	o.unwritten = j.next
}

// dedupeWindow is for how long the server recognises repeats, 0 if it does not say.
func (c *contract) dedupeWindow() time.Duration {
	if c == nil {
		return 0
	}
	return c.welcome.GetDedupeWindow().AsDuration()
}

// number gives a job its number, unless it has one, and the one before it on this stream.
func (o *outbox) number(j *job) {
	room, ok := o.rooms[j.out.RoomID]
	if !ok {
		room = &roomSends{last: o.floor}
		o.rooms[j.out.RoomID] = room
	}
	if j.number == 0 {
		room.last++
		j.number = room.last
	}
	j.request.SendNumber = j.number
	if n := len(room.written); n > 0 {
		j.request.PrevSendNumber = room.written[n-1].number
	}
	room.written = append(room.written, j)
}

// forgetNumber takes a job out of its room, and a room that is idle out of a map that is too large.
func (o *outbox) forgetNumber(j *job) {
	room, ok := o.rooms[j.out.RoomID]
	if !ok {
		return
	}
	switch at := room.find(j.number); {
	case at == 0:
		room.written[0] = nil
		room.written = room.written[1:]
	case at > 0:
		room.written = slices.Delete(room.written, at, at+1)
	}
	o.dropIdle(j.out.RoomID, room)
}

func (o *outbox) dropIdle(id string, room *roomSends) {
	if len(room.written) == 0 && len(o.rooms) > maxIdleRooms {
		o.floor = max(o.floor, room.last)
		delete(o.rooms, id)
	}
}

// find gives the place of a number, -1 if it is not there.
func (r *roomSends) find(number uint64) int {
	at, ok := slices.BinarySearchFunc(r.written, number, func(j *job, number uint64) int {
		switch {
		case j.number < number:
			return -1
		case j.number > number:
			return 1
		default:
			return 0
		}
	})
	if !ok {
		return -1
	}
	return at
}

// taken says that the stream has taken a job. Without receipts that decides it.
func (o *outbox) taken(j *job) (first bool) {
	o.mu.Lock()
	defer o.unlock()
	if j.number == 0 && j.state == jobWritten {
		o.decide(j, &runtime.Receipt{MessageID: j.out.ID, RoomID: j.out.RoomID}, nil)
	}
	return j.handed == 1
}

// untaken says that gRPC did not take a job. A broken stream lets the next one try; a message that gRPC itself refuses,
// such as one beyond the connection's own limit, would break that one too.
func (o *outbox) untaken(j *job, err error) {
	o.mu.Lock()
	defer o.unlock()
	if !j.onStream() {
		return
	}
	if j.handed--; j.handed == 0 {
		j.tried = false
	}
	switch code := status.Code(err); {
	case code != codes.ResourceExhausted && code != codes.Internal:
	case j.handed > 0:
		o.loseWithThoseBehind(j, code, rpcError{err})
	default:
		o.lose(j, code, rpcError{err})
	}
}

// hold keeps what is not written from a stream, which is about to end; it may never become the live one. The next ones get it.
func (o *outbox) hold(stream uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = stream
}

// quiet is closed once the live stream has nothing undecided.
func (o *outbox) quiet() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.idle == nil {
		o.idle = make(chan struct{})
	}
	idle := o.idle
	if o.onStream == 0 {
		close(o.idle)
		o.idle = nil
	}
	return idle
}

// unsure tells whether a send waits that may have been delivered: only a stream with receipts can tell.
func (o *outbox) unsure() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.unwritten != nil && o.unwritten.handed > 0
}

// streamEnded takes back what the live stream leaves undecided. Its writer has ended.
func (o *outbox) streamEnded() {
	o.mu.Lock()
	defer o.unlock()
	var ghosts, left []*job
	for j := o.jobs.front; j != o.unwritten; j = j.next {
		left = append(left, j)
		if j.state == jobGhost {
			ghosts = append(ghosts, j)
		} else {
			j.state = jobQueued
		}
	}
	for id, room := range o.rooms {
		room.written = nil
		o.dropIdle(id, room)
	}
	o.unwritten = o.jobs.front
	for _, ghost := range ghosts {
		o.loseWithThoseBehind(ghost, codes.Unavailable, errBehind)
	}
	o.breakPromises(left)
	for range o.onStream {
		o.leftStream()
	}
	if o.closed {
		o.failUndelivered()
	} else {
		o.watchAge()
	}
}

// breakPromises does nothing, unless a proof wants to see itself fail.
func (o *outbox) breakPromises(left []*job) {
	for _, j := range left {
		switch {
		case j.state != jobQueued, j.handed == 0:
		case sabotage.NoResend:
			o.decide(j, &runtime.Receipt{MessageID: j.out.ID, RoomID: j.out.RoomID, Appended: true}, nil)
		case sabotage.NoOrder:
			j.number = 0
			o.jobs.remove(j)
			o.jobs.insert(j, o.jobs.front)
			o.unwritten = j
		}
	}
}
