package session

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// write is the stream's only sender: gRPC allows one at a time. It ends with the stream, or half-closes it after the
// control frames that wait when the session closes.
//
// ACKs outlive a stream. They wait until the next one is in the session's rooms: before, the server would refuse them.
func (s *Session) write(st *stream) {
	queues, live := []*controlQueue{st.control}, st.live
	var acks <-chan struct{} // nil, which never has anything, until the stream is live
	for {
		if err := st.writeControl(queues); err != nil {
			return // the reader learns why
		}
		select {
		case <-st.control.wake:
		case <-acks:
		case <-live:
			live, acks, queues = nil, s.acks.wake, append(queues, s.acks)
		case j := <-st.jobs:
			s.writeJob(st, j)
		case <-st.ctx.Done():
			return
		case <-st.leave:
			if st.writeControl(queues) == nil {
				_ = st.grpc.CloseSend() // it never fails
			}
			return
		case <-s.closing:
			if st.writeControl(queues) == nil {
				_ = st.grpc.CloseSend() // it never fails
			}
			return
		}
	}
}

// writeControl sends what the queues hold, one after the other. A frame that could not be written stays.
func (st *stream) writeControl(queues []*controlQueue) error {
	for _, queue := range queues {
		for frame := queue.first(); frame != nil; frame = queue.first() {
			frame.Timestamp = timestamppb.Now()
			if err := st.grpc.Send(frame); err != nil {
				return err
			}
			queue.dropFirst()
		}
	}
	return nil
}

// writeJob sends one message. Without receipts its outcome is there once the stream has taken it.
func (s *Session) writeJob(st *stream, j *job) {
	if j.ctx.Err() != nil {
		j.result <- outcome{err: inSendState(opSend, j.out, context.Cause(j.ctx))}
		return
	}
	c := st.contract.Load()
	receipts := c.known().Receipts && j.request.GetType() != imv1.MessageType_MESSAGE_TYPE_ACK
	j.request.SendNumber, j.request.PrevSendNumber = 0, 0
	if receipts {
		s.outbox.add(j)
	} else {
		s.outbox.remember(j.out.ID)
	}
	j.request.AckRequired = c != nil && j.out.AckRequired
	j.request.Timestamp = timestamppb.Now()
	if err := st.grpc.Send(j.request); err != nil {
		if !receipts || s.outbox.remove(j) {
			j.result <- notSent(j.out, err)
		}
		return
	}
	s.counters.sent.Add(1)
	if !receipts {
		j.result <- outcome{receipt: &runtime.Receipt{MessageID: j.out.ID, RoomID: j.out.RoomID}}
	}
}

// notSent is the outcome of a message that gRPC did not take. A broken stream lets another one try; a message that gRPC
// itself refuses, such as one beyond the connection's own limit, would break that one too.
func notSent(out *runtime.Outgoing, err error) outcome {
	if status.Code(err) == codes.ResourceExhausted || status.Code(err) == codes.Internal {
		return outcome{err: inSendState(opSend, out, rpcError{err})}
	}
	return outcome{again: true}
}
