package server

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// sendAll sends what the stream has to send. It ends when the stream has ended, or the outbox is closed and empty.
func (st *stream) sendAll() {
	defer close(st.sent)
	for st.ctx.Err() == nil {
		if !st.sendControl() {
			return
		}
		rd, last := st.out.takeReady()
		switch {
		case rd != nil:
			if !st.sendTurn(rd) {
				return
			}
		case last:
			return
		default:
			select {
			case <-st.out.wake:
			case <-st.ctx.Done():
				return
			}
		}
	}
}

// sendControl sends all control frames that wait.
func (st *stream) sendControl() bool {
	for {
		message, err := st.out.takeControl()
		switch {
		case err != nil:
			st.end(refuse(codes.Internal, "a control frame cannot be encoded: %v", err))
			return false
		case message == nil:
			return true
		}
		if err := st.rpc.Send(message); err != nil {
			st.end(asStatus(err, codes.Unavailable))
			return false
		}
	}
}

// sendTurn sends what a room has for the stream, as much as its turn and its window let it. Control frames go first at any
// time.
func (st *stream) sendTurn(rd *reader) bool {
	r := rd.room
	r.mu.Lock()
	had := len(rd.fetched) > 0
	turn, then := rd.take()
	freed := had && len(rd.fetched) == 0
	r.mu.Unlock()
	if freed {
		st.startFetch(st.out.freePage())
	}
	if then == again {
		st.out.mark(rd)
	}
	if then == fromLog && st.out.wantPage(rd) {
		st.startFetch(rd)
	}
	st.srv.counts.delivered.Add(uint64(len(turn)))
	for _, f := range turn {
		if !st.sendControl() {
			return false
		}
		if rd.stop.Load() { // LEFT may have gone out
			return true
		}
		if err := st.rpc.Send(f.message); err != nil {
			st.end(asStatus(err, codes.Unavailable))
			return false
		}
	}
	return true
}

// put queues a control frame. A stream whose queue is full is ended. It may be called under any lock.
func (st *stream) put(f frame) {
	if st.ctx.Err() == nil && !st.out.put(f) {
		st.endSlow()
	}
}

func (st *stream) endSlow() {
	st.srv.counts.slowReaders.Add(1)
	st.end(status.Errorf(codes.ResourceExhausted,
		"this client reads too slowly: %d answers or %d bytes wait for it", st.out.maxFrames, st.out.maxBytes))
}
