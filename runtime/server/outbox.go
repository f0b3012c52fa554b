package server

import (
	"slices"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/protobuf/proto"
)

// frame is an envelope on its way out. Many outboxes share one message: nobody changes it.
type frame struct {
	message *imv1.MessageResponse
	size    int
}

func newFrame(message *imv1.MessageResponse) frame {
	return frame{message: message, size: proto.Size(message)}
}

// outbox is the bounded queue of what one stream has to send. Any goroutine puts, one takes.
type outbox struct {
	maxMessages, maxBytes int

	mu     sync.Mutex
	queue  []frame
	head   int           // of the queue; what is before it has been taken
	bytes  int           // of what waits and of the frame that was taken last
	closed bool          // nothing more is put
	wake   chan struct{} // has an element when something was put or the outbox was closed
}

func newOutbox(maxMessages, maxBytes int) *outbox {
	return &outbox{maxMessages: maxMessages, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

// put appends a frame. False: there is no room for it. A closed outbox drops it. An empty one takes a frame of
// any size.
func (o *outbox) put(f frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return true
	case len(o.queue)-o.head >= o.maxMessages, o.bytes > 0 && o.bytes+f.size > o.maxBytes:
		return false
	}
	if o.head > 256 && o.head > len(o.queue)/2 { // never empty for long: use what has been taken
		o.queue = slices.Delete(o.queue, 0, o.head)
		o.head = 0
	}
	o.queue = append(o.queue, f)
	o.bytes += f.size
	o.signal()
	return true
}

// take gives the next frame, if there is one. sent is the size of the frame that was taken before, which counts as
// waiting until now. last tells that no frame will come any more.
func (o *outbox) take(sent int) (f frame, ok, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes -= sent
	if o.head == len(o.queue) {
		o.rewind()
		return frame{}, false, o.closed
	}
	f = o.queue[o.head]
	o.queue[o.head] = frame{}
	o.head++
	return f, true, false
}

// rewind makes the empty queue's memory usable again, and gives back what a burst took.
func (o *outbox) rewind() {
	o.head = 0
	o.queue = o.queue[:0]
	if cap(o.queue) > 256 {
		o.queue = nil
	}
}

// close lets what is queued go out, and nothing after it.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
