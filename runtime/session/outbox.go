package session

import (
	"slices"
	"sync"

	"google.golang.org/grpc/codes"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// maxIdleRooms is how many rooms without an undecided send keep their numbers. One that is dropped beyond it goes on from
// the highest number of those dropped: numbers have to rise, not to be dense.
const maxIdleRooms = 1024

// outbox holds the sends that a server with receipts has not decided, and knows the session's own messages of late.
type outbox struct {
	mu     sync.Mutex // held for map and slice operations only
	rooms  map[string]*roomSends
	floor  uint64 // no number of a dropped room is higher
	recent recentIDs
}

// roomSends are the numbered sends of one room.
type roomSends struct {
	last      uint64
	undecided []*job // by send number
}

func newOutbox() *outbox {
	return &outbox{rooms: make(map[string]*roomSends), recent: newRecentIDs()}
}

// add numbers a job that is about to be written. The writer alone calls it, so that numbers rise as messages leave.
func (o *outbox) add(j *job) {
	o.mu.Lock()
	defer o.mu.Unlock()
	room, ok := o.rooms[j.out.RoomID]
	if !ok {
		room = &roomSends{last: o.floor}
		o.rooms[j.out.RoomID] = room
	}
	j.request.PrevSendNumber = 0
	if n := len(room.undecided); n > 0 {
		j.request.PrevSendNumber = room.undecided[n-1].number
	}
	room.last++
	j.number, j.request.SendNumber = room.last, room.last
	room.undecided = append(room.undecided, j)
}

// remove takes out a job that was not written after all. It tells whether the job was still there.
func (o *outbox) remove(j *job) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	room, ok := o.rooms[j.out.RoomID]
	if !ok {
		return false
	}
	at := slices.Index(room.undecided, j)
	if at < 0 {
		return false
	}
	o.drop(j.out.RoomID, room, at)
	return true
}

// drop takes a job out of its room, and a room that is idle out of a map that is too large. The lock is held.
func (o *outbox) drop(id string, room *roomSends, at int) {
	room.undecided = slices.Delete(room.undecided, at, at+1)
	if len(room.undecided) == 0 && len(o.rooms) > maxIdleRooms {
		o.floor = max(o.floor, room.last)
		delete(o.rooms, id)
	}
}

// remember keeps an id for isOwn.
func (o *outbox) remember(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.recent.add(id)
}

// isOwn tells whether a message id is one that the session sent of late to a server of today.
func (o *outbox) isOwn(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.recent.has(id)
}

// settle ends the job that a receipt is for. A receipt for none is for one that was given up: it is ignored.
func (o *outbox) settle(receipt *imsdkv1.Receipt) {
	if j := o.take(receipt); j != nil {
		j.result <- decided(j.out, receipt)
	}
}

func (o *outbox) take(receipt *imsdkv1.Receipt) *job {
	o.mu.Lock()
	defer o.mu.Unlock()
	room, ok := o.rooms[receipt.GetRoomId()]
	if !ok {
		return nil
	}
	at := slices.IndexFunc(room.undecided, func(j *job) bool {
		return j.number == receipt.GetSendNumber() && j.out.ID == receipt.GetMessageId()
	})
	if at < 0 {
		return nil
	}
	j := room.undecided[at]
	o.drop(j.out.RoomID, room, at)
	return j
}

// failAll ends what a broken stream leaves undecided.
func (o *outbox) failAll(cause error) {
	o.mu.Lock()
	var left []*job
	for _, room := range o.rooms {
		left = append(left, room.undecided...)
		room.undecided = nil
	}
	o.mu.Unlock()
	for _, j := range left {
		j.result <- outcome{err: maybeDelivered(j.out, codes.Unavailable, cause)}
	}
}

// decided turns a receipt into what the caller gets.
func decided(out *runtime.Outgoing, receipt *imsdkv1.Receipt) outcome {
	if refusal := receipt.GetRefusal(); refusal != nil {
		return outcome{err: refusalError(out, refusal)}
	}
	result := &runtime.Receipt{
		MessageID: out.ID,
		RoomID:    out.RoomID,
		Appended:  receipt.GetSeq() > 0,
		Seq:       receipt.GetSeq(),
		Epoch:     receipt.GetEpoch(),
		Duplicate: receipt.GetDuplicate(),
	}
	if receipt.GetTime() != nil {
		result.Time = receipt.GetTime().AsTime()
	}
	return outcome{receipt: result}
}

func refusalError(out *runtime.Outgoing, refusal *imsdkv1.Refusal) error {
	code := codes.Code(refusal.GetCode())
	if code == codes.OK || code > codes.Unauthenticated {
		code = codes.Unknown
	}
	e := &runtime.Error{
		Op: opSend, Code: code, Kind: kindName(out), RoomID: out.RoomID, MessageID: out.ID,
		Message: joinText("the server refused it", refusal.GetMessage()),
	}
	for _, violation := range refusal.GetViolations() {
		e.Violations = append(e.Violations, runtime.Violation{Path: violation.GetPath(), Reason: violation.GetReason()})
	}
	return e
}
