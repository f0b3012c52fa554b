package session

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// write is the stream's only sender: gRPC allows one at a time. It ends with the stream, or half-closes it after the
// control frames that wait when the session closes.
func (s *Session) write(st *stream) {
	for {
		if err := s.writeControl(st); err != nil {
			return // the reader learns why
		}
		select {
		case <-st.control.wake:
		case <-s.acks.wake:
		case j := <-st.jobs:
			s.writeJob(st, j)
		case <-st.ctx.Done():
			return
		case <-s.closing:
			if s.writeControl(st) == nil {
				_ = st.grpc.CloseSend() // it never fails
			}
			return
		}
	}
}

// writeControl sends the stream's control frames, then ACKs, which outlive a stream: one that could not be written
// goes out on the next.
func (s *Session) writeControl(st *stream) error {
	for _, queue := range []*controlQueue{st.control, s.acks} {
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
			j.result <- outcome{again: true}
		}
		return
	}
	s.counters.sent.Add(1)
	if !receipts {
		j.result <- outcome{receipt: &runtime.Receipt{MessageID: j.out.ID, RoomID: j.out.RoomID}}
	}
}
