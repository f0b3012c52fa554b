package session

import (
	"google.golang.org/grpc/codes"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// settle ends the job that a receipt is for. A receipt for none is for one that was decided before: it is ignored.
func (o *outbox) settle(receipt *imsdkv1.Receipt) {
	o.mu.Lock()
	defer o.unlock()
	j := o.find(receipt)
	if j == nil {
		return
	}
	switch refusal := receipt.GetRefusal(); {
	case refusal == nil:
		o.decide(j, appended(j.out, receipt), nil)
	case codes.Code(refusal.GetCode()) != codes.DataLoss || j.handed == 1:
		o.decide(j, nil, refusalError(j, refusal))
	case o.toNewLog && j.state != jobGhost:
		o.tryAgain(j)
	default: // what it may have been delivered to is gone
		o.loseWithThoseBehind(j, codes.DataLoss, errNewLog)
	}
}

func (o *outbox) find(receipt *imsdkv1.Receipt) *job {
	room, ok := o.rooms[receipt.GetRoomId()]
	if !ok {
		return nil
	}
	at := room.find(receipt.GetSendNumber())
	if at < 0 || room.written[at].out.ID != receipt.GetMessageId() {
		return nil
	}
	return room.written[at]
}

// tryAgain puts a job that the server has refused because of its log before what waits and is newer. Its number is
// decided: it gets another one, and so do those behind it in the room, for numbers have to rise.
func (o *outbox) tryAgain(j *job) {
	o.drop(j)
	j.state, j.number, j.tried = jobQueued, 0, false
	o.count++
	o.bytes += j.size
	before := o.unwritten
	for before != nil && before.order < j.order {
		before = before.next
	}
	for behind := before; behind != nil; behind = behind.next {
		if behind.out.RoomID == j.out.RoomID {
			behind.number = 0
		}
	}
	o.jobs.insert(j, before)
	if before == o.unwritten {
		o.unwritten = j
	}
	o.wakeWriter()
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

// appended is what the caller gets.
func appended(out *runtime.Outgoing, receipt *imsdkv1.Receipt) *runtime.Receipt {
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
	return result
}

// refusalError is the error of a refusal. It is certain of the try that it answers, and of no earlier one: the user may have
// lost its permission, or the room, since that was appended. Only another message under the same id is in this one's
// place for good.
func refusalError(j *job, refusal *imsdkv1.Refusal) error {
	code := codes.Code(refusal.GetCode())
	if code == codes.OK || code > codes.Unauthenticated {
		code = codes.Unknown
	}
	e := &runtime.Error{
		Op: opSend, Code: code, Kind: kindName(j.out), RoomID: j.out.RoomID, MessageID: j.out.ID,
		Message: joinText("the server refused it", refusal.GetMessage()),
	}
	for _, violation := range refusal.GetViolations() {
		e.Violations = append(e.Violations, runtime.Violation{Path: violation.GetPath(), Reason: violation.GetReason()})
	}
	if j.handed > 1 && code != codes.AlreadyExists {
		e.Message = joinText("the server refused it when it was sent again", refusal.GetMessage())
		e.Err = ErrMaybeDelivered
	}
	return e
}
