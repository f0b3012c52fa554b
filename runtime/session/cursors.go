package session

import (
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// tellWithin is how late a server hears at the latest that a cursor has moved.
const tellWithin = 200 * time.Millisecond

// teller tells the server how far the session's handlers are, all rooms in one CURSOR frame.
type teller struct {
	user      string
	positions *positions

	mu    sync.Mutex // guards what follows; taken before that of positions
	st    *stream    // the open one, if its server takes cursors
	timer *time.Timer
}

// attach is called when a stream's server is known to take cursors.
func (t *teller) attach(st *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.st = st
	if t.positions.anyMoved() {
		t.arm()
	}
}

// detach is called when a stream has ended.
func (t *teller) detach(st *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.st == st {
		t.st = nil
		t.disarm()
	}
}

// moved tells that a cursor has moved; handled is how many bytes its room has handled since the server heard of it. A
// quarter of the window is told at once, so that the server can go on before the window is used up.
func (t *teller) moved(handled int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.st == nil {
		return
	}
	if window := t.st.window(); window > 0 && handled >= window/4 {
		t.send()
		return
	}
	t.arm()
}

// arm starts the timer, unless it runs. The lock is held.
func (t *teller) arm() {
	if t.timer == nil {
		t.timer = time.AfterFunc(tellWithin, t.expired)
	}
}

func (t *teller) disarm() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

func (t *teller) expired() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.st != nil && t.timer != nil {
		t.send()
	}
}

// send tells all that has moved. The lock is held, so that frames are queued in the order of what they tell.
func (t *teller) send() {
	t.disarm()
	cursors := t.positions.tell(t.st.number)
	if len(cursors) == 0 {
		return
	}
	content, err := proto.Marshal(&imsdkv1.Cursors{Cursors: cursors})
	if err != nil || !t.st.control.put(&imv1.MessageRequest{
		UserId: t.user, Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: content,
	}) {
		t.st.cancel(&runtime.Error{
			Op: "stream", Code: codes.ResourceExhausted, Message: "the server does not read", Err: err,
		})
	}
}
