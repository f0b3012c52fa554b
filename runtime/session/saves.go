package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/game-im/im-grpc-sdk/runtime"
)

const (
	// saveEvery is how far apart two saves are.
	saveEvery = 200 * time.Millisecond
	// storeTimeout bounds one call of a CursorStore that heeds its context.
	storeTimeout = 5 * time.Second
	// lastSave is how long Close waits for what is being saved.
	lastSave = 300 * time.Millisecond
)

// saves hands the cursors that have moved to the CursorStore, in a goroutine that lives only while there is something
// to save.
type saves struct {
	store   CursorStore // nil: nothing is kept
	group   *group
	log     *slog.Logger
	report  func(error)
	closing <-chan struct{}
	ctx     context.Context //nolint:containedctx // it is never cancelled: what Close finds is saved too

	mu    sync.Mutex           // guards what follows; never held while the store is called
	dirty map[string]*position // by room; nil: the room is to be deleted
	fresh bool                 // something was added since the last save began
	idle  chan struct{}        // closed when the goroutine ends; nil: there is none
}

// moved keeps a cursor in mind, and sees to it that it is saved.
func (v *saves) moved(room string, at position) {
	if v.store != nil {
		v.add(room, &at)
	}
}

// left does so for a room whose cursor is to be forgotten.
func (v *saves) left(room string) {
	if v.store != nil {
		v.add(room, nil)
	}
}

func (v *saves) add(room string, at *position) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dirty == nil {
		v.dirty = make(map[string]*position)
	}
	v.dirty[room], v.fresh = at, true
	v.begin()
}

// begin starts the goroutine, unless it runs. The lock is held.
func (v *saves) begin() {
	if v.idle != nil {
		return
	}
	idle := make(chan struct{})
	if v.group.start(func() { v.run(idle) }) {
		v.idle = idle
	}
}

// run saves until nothing is new. What could not be saved waits for the next cursor that moves, or for Close.
func (v *saves) run(idle chan struct{}) {
	defer close(idle)
	ended := false
	defer func() {
		if !ended { // the store has ended the goroutine
			v.over()
		}
	}()
	for {
		timer := time.NewTimer(saveEvery)
		select {
		case <-timer.C:
		case <-v.closing: // what still moves is saved at once
			timer.Stop()
		}
		batch, ok := v.take()
		if !ok {
			ended = true
			return
		}
		if err := v.save(batch); err != nil {
			v.putBack(batch)
			v.report(&runtime.Error{Op: "save cursors", Code: codes.Unknown, Message: "the cursor store does not save", Err: err})
		}
	}
}

// over notes that there is no goroutine.
func (v *saves) over() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.idle = nil
}

// take gives what is to be saved. Nothing: the goroutine ends.
func (v *saves) take() (batch map[string]*position, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.fresh {
		v.idle = nil
		return nil, false
	}
	batch, v.dirty, v.fresh = v.dirty, nil, false
	return batch, true
}

// putBack keeps what could not be saved, unless there is something newer.
func (v *saves) putBack(batch map[string]*position) {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.Copy(batch, v.dirty)
	v.dirty = batch
}

// save calls the store. It leaves in batch what failed.
//
//nolint:contextcheck,nolintlint // it outlives every call; the linter complains at its callers
func (v *saves) save(batch map[string]*position) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			v.log.Error("the cursor store panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			err = fmt.Errorf("it panicked: %v", reason)
		}
	}()
	ctx, cancel := context.WithTimeout(v.ctx, storeTimeout)
	defer cancel()
	var errs []error
	var changed []Cursor
	for _, room := range slices.Sorted(maps.Keys(batch)) {
		if at := batch[room]; at != nil {
			changed = append(changed, Cursor{RoomID: room, Epoch: at.epoch, Seq: at.seq})
			continue
		}
		if err := v.store.Delete(ctx, room); err != nil {
			errs = append(errs, err)
		} else {
			delete(batch, room)
		}
	}
	if len(changed) > 0 {
		if err := v.store.Save(ctx, changed); err != nil {
			errs = append(errs, err)
		} else {
			maps.DeleteFunc(batch, func(_ string, at *position) bool { return at != nil })
		}
	}
	return errors.Join(errs...)
}

// last starts the save at Close, of what an earlier one could not do too.
func (v *saves) last() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.dirty) > 0 {
		v.fresh = true
		v.begin()
	}
}

// await waits for a save that runs, though not for long.
func (v *saves) await() {
	v.mu.Lock()
	idle := v.idle
	v.mu.Unlock()
	if idle == nil {
		return
	}
	timer := time.NewTimer(lastSave)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// loadCursors asks the store where the session stood, once.
func (s *Session) loadCursors(ctx context.Context) (err error) {
	store := s.saves.store
	if store == nil || s.cursorsLoaded {
		return nil
	}
	defer func() {
		if reason := recover(); reason != nil {
			s.config.log.Error("the cursor store panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			err = s.loadError(fmt.Errorf("it panicked: %v", reason))
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.onClose(cancel)()
	cursors, err := store.Load(ctx)
	if err != nil {
		return s.loadError(orCause(ctx, err))
	}
	s.positions.load(cursors)
	s.cursorsLoaded = true
	return nil
}

func (s *Session) loadError(err error) error {
	if closed := s.notClosed(); closed != nil {
		err = closed
	}
	return &runtime.Error{
		Op: "connect to " + s.target, Code: stateCode(err), Message: "the cursor store does not load", Err: err,
	}
}
