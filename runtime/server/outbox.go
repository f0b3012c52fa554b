package server

import (
	"slices"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"google.golang.org/protobuf/proto"
)

// A frame of receipts ends at either of these. One receipt alone may be larger: see refusalOf.
const (
	maxReceipts     = 128
	maxReceiptBytes = 16 << 10
)

// maxPages is how many of a stream's readers have a page of the log, or are being read one. The others wait for their turn.
const maxPages = 4

// outbox is what one stream has to send: control frames, receipts, and the rooms that have something for it. Any goroutine
// puts, one takes. Control frames and receipts come before the messages of rooms, which wait in their logs.
type outbox struct {
	maxFrames, maxBytes int // of control frames and receipts

	mu       sync.Mutex
	control  []frame
	bytes    int // of both
	receipts []*imsdkv1.Receipt
	ready    []*reader
	pages    int           // readers that have a page, or are being read one
	waiting  []*reader     // for a page; then there are maxPages
	closed   bool          // nothing more is put
	wake     chan struct{} // has an element when something was put or the outbox was closed
}

func newOutbox(maxFrames, maxBytes int) *outbox {
	return &outbox{maxFrames: maxFrames, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

// put appends a control frame. False: there is no room for it. A closed outbox drops it. An empty one takes a frame of any
// size.
func (o *outbox) put(f frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return true
	case len(o.control) >= o.maxFrames, o.bytes > 0 && o.bytes+f.size > o.maxBytes:
		return false
	}
	o.control = append(o.control, f)
	o.bytes += f.size
	o.signal()
	return true
}

// putReceipt appends a receipt. False: there is no room for it.
func (o *outbox) putReceipt(receipt *imsdkv1.Receipt) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return true
	}
	size := proto.Size(receipt)
	if len(o.receipts) >= o.maxFrames || o.bytes > 0 && o.bytes+size > o.maxBytes {
		return false
	}
	o.bytes += size
	o.receipts = append(o.receipts, receipt)
	o.signal()
	return true
}

// mark says that a room has something for the stream, or may have. It may be called under the room's lock.
func (o *outbox) mark(rd *reader) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if rd.queued {
		return
	}
	rd.queued = true
	o.ready = append(o.ready, rd)
	o.signal()
}

// wantPage tells whether a page may be read for a reader now. If not, freePage gives the reader when it may.
func (o *outbox) wantPage(rd *reader) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pages == maxPages {
		o.waiting = append(o.waiting, rd)
		return false
	}
	o.pages++
	return true
}

// freePage tells that a reader has no page any more. It gives the one whose turn it is to have one, or nil.
func (o *outbox) freePage() *reader {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		o.pages--
		o.signal()
		return nil
	}
	next := o.waiting[0]
	o.waiting = slices.Delete(o.waiting, 0, 1)
	return next
}

// takeControl gives the control frame to send next, or nil: a frame of receipts counts as one.
func (o *outbox) takeControl() (*imv1.MessageResponse, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.control) > 0 {
		f := o.control[0]
		o.control = slices.Delete(o.control, 0, 1)
		o.bytes -= f.size
		return f.message, nil
	}
	if len(o.receipts) == 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	n, size := 0, 0
	for n < min(len(o.receipts), maxReceipts) {
		next := proto.Size(o.receipts[n])
		if n > 0 && size+next > maxReceiptBytes {
			break
		}
		size += next
		n++
	}
	o.bytes -= size
	told := &imsdkv1.Receipts{Receipts: slices.Clone(o.receipts[:n])}
	o.receipts = slices.Delete(o.receipts, 0, n)
	return controlFrame(imv1.MessageType_MESSAGE_TYPE_RECEIPT, &imv1.MessageResponse{}, told)
}

// takeReady gives the room whose turn it is, or nil. last: there will be nothing more at all.
func (o *outbox) takeReady() (rd *reader, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.ready) == 0 {
		return nil, o.closed && o.pages == 0 && len(o.control) == 0 && len(o.receipts) == 0
	}
	rd = o.ready[0]
	o.ready = slices.Delete(o.ready, 0, 1)
	rd.queued = false
	return rd, false
}

func (o *outbox) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// close lets what is there go out, and nothing after it.
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
