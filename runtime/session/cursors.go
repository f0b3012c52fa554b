package session

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

const (
	// cursorDelay is how long a cursor that has moved may wait before server and store are told: many moves, one frame.
	cursorDelay = 200 * time.Millisecond
	// storeDelay is how long a CursorStore that has failed is left alone.
	storeDelay = time.Second
	// storeTimeout bounds one call of a CursorStore.
	storeTimeout = 5 * time.Second
)

// cursorKeeper tells the server and the CursorStore where the session stands, a little after it has moved.
type cursorKeeper struct {
	session *Session
	store   CursorStore   // nil: none
	saving  chan struct{} // holds one element while the store is called

	loaded bool // for Connect alone

	mu    sync.Mutex
	armed bool // keep will run
}

func newCursorKeeper(s *Session, store CursorStore) *cursorKeeper {
	return &cursorKeeper{session: s, store: store, saving: make(chan struct{}, 1)}
}

// loadOnce asks the store, before the first stream. Connect runs once at a time.
func (k *cursorKeeper) loadOnce(ctx context.Context) error {
	if k.store == nil || k.loaded {
		return nil
	}
	cursors, err := k.store.Load(ctx)
	if err != nil {
		return &runtime.Error{Op: "load cursors", Code: codes.Unavailable, Message: "the CursorStore failed", Err: err}
	}
	k.session.positions.load(cursors)
	k.loaded = true
	return nil
}

// moved says that a cursor has moved, or that a stream is there that does not know them. soon: the server should know at once.
func (k *cursorKeeper) moved(soon bool) {
	if soon {
		k.tell()
	}
	k.arm(cursorDelay)
}

func (k *cursorKeeper) arm(delay time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.armed {
		return
	}
	k.armed = true
	time.AfterFunc(delay, func() {
		k.mu.Lock()
		k.armed = false
		k.mu.Unlock()
		k.session.group.start(k.keep)
	})
}

// keep tells both.
func (k *cursorKeeper) keep() {
	k.tell()
	if !k.save() {
		k.arm(storeDelay)
	}
}

// tell puts a CURSOR frame into the live stream's queue, if that knows what it is.
func (k *cursorKeeper) tell() {
	_, live, _ := k.session.machine.now()
	if live == nil || !live.capabilities().Resume {
		return
	}
	moved := k.session.positions.tell()
	if len(moved) == 0 {
		return
	}
	content, err := proto.Marshal(&imsdkv1.Cursors{Cursors: moved})
	if err != nil { // room ids are valid UTF-8
		live.cancel(&runtime.Error{Op: "stream", Code: codes.Internal, Message: "a cursor cannot be encoded", Err: err})
		return
	}
	live.control.put(&imv1.MessageRequest{ // if the queue is full, a later frame or the next stream tells
		UserId: k.session.config.user, Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: content,
	})
}

// save lets the store keep what has moved. It tells whether the store has it all.
func (k *cursorKeeper) save() bool {
	if k.store == nil {
		return true
	}
	k.saving <- struct{}{}
	defer func() { <-k.saving }()
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout) // the last one comes after the session has ended
	defer cancel()
	p := k.session.positions
	changed, deleted := p.unsaved()
	if len(changed) > 0 {
		if err := k.store.Save(ctx, changed); err != nil {
			k.failed("save cursors", err)
			return false
		}
		p.saved(changed)
	}
	for _, room := range deleted {
		if err := k.store.Delete(ctx, room); err != nil {
			k.failed("delete a cursor", err)
			return false
		}
		p.deleted(room)
	}
	return true
}

func (k *cursorKeeper) failed(op string, err error) {
	k.session.reportError(&runtime.Error{Op: op, Code: codes.Unavailable, Message: "the CursorStore failed", Err: err})
}

// finish keeps what the session has handled by now, as it closes. It waits for the store, but not for long.
func (k *cursorKeeper) finish() {
	if k.store == nil {
		return
	}
	done := make(chan struct{})
	k.session.group.start(func() {
		defer close(done)
		k.save()
	})
	timer := time.NewTimer(grace / 2)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
