package session

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// write is the stream's only sender: gRPC allows one at a time. It ends with the stream, or half-closes it after the
// control frames that wait when the session closes.
//
// ACKs and messages outlive a stream. They wait until the next one is in the session's rooms: before, the server would
// refuse them. Control frames go before messages.
func (s *Session) write(st *stream) {
	queues, live := []*controlQueue{st.control}, st.live
	var acks, sends <-chan struct{} // nil, which never has anything, until the stream is live
	for {
		if err := st.writeControl(queues); err != nil {
			return // the reader learns why
		}
		if sends != nil {
			switch more, err := s.writeNext(st); {
			case err != nil:
				sends = nil
			case more:
				continue
			}
		}
		select {
		case <-st.control.wake:
		case <-acks:
		case <-live:
			live, acks, sends, queues = nil, s.acks.wake, s.outbox.wake, append(queues, s.acks)
		case <-sends:
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

// writeNext sends the outbox's next message and tells whether there may be more. An error means that the stream takes
// none any more.
func (s *Session) writeNext(st *stream) (more bool, err error) {
	j := s.outbox.next(st.number)
	if j == nil {
		return false, nil
	}
	if s.gone(j) {
		return true, nil
	}
	c := st.contract.Load()
	request, ok := s.outbox.take(j, c)
	if !ok {
		return true, nil
	}
	request.AckRequired = c != nil && j.out.AckRequired
	if request.GetTimestamp() == nil { // a repeat is the same message
		request.Timestamp = timestamppb.Now()
	}
	if err := st.grpc.Send(request); err != nil {
		s.outbox.untaken(j, err)
		return false, err
	}
	if s.outbox.taken(j) {
		s.counters.sent.Add(1)
	} else {
		s.counters.resent.Add(1)
	}
	return true, nil
}

// gone gives up a send whose context has ended: its caller may not have had the time to say so.
func (s *Session) gone(j *job) bool {
	if j.ctx.Err() == nil {
		return false
	}
	s.outbox.giveUp(j, context.Cause(j.ctx))
	return true
}
