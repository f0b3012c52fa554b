package session

import (
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// maxControl bounds what waits in a queue of control frames.
const maxControl = 4096

// controlQueue holds control frames for the writer, which sends them before any message.
type controlQueue struct {
	wake chan struct{} // has something when the queue may have

	mu    sync.Mutex
	queue []*imv1.MessageRequest
}

func newControlQueue() *controlQueue {
	return &controlQueue{wake: make(chan struct{}, 1)}
}

// put never blocks. It fails when too much waits: then the server has not read for long.
func (q *controlQueue) put(frame *imv1.MessageRequest) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) >= maxControl {
		return false
	}
	q.queue = append(q.queue, frame)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// first gives the frame to send next, or nil. It stays until it is dropped.
func (q *controlQueue) first() *imv1.MessageRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return nil
	}
	return q.queue[0]
}

// dropFirst takes the first frame out: it is sent.
func (q *controlQueue) dropFirst() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue[0] = nil
	q.queue = q.queue[1:]
}
