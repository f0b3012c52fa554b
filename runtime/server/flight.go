package server

import (
	"context"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// flight is a read of a room's log that is going on: one for all who stand at its cursor. The first one's limit holds.
type flight struct {
	cancel  context.CancelFunc
	waiting int // how many still want it; the room's lock guards it

	done   chan struct{} // closed when what follows is there
	gap    *roomlog.Gap
	frames []frame // many streams have them: nobody changes them
	err    error
}

// read reads on from the log after a cursor, together with whoever reads there already. No lock is held.
func (r *room) read(ctx context.Context, at roomlog.Cursor, limit roomlog.Limit) (*flight, error) {
	f := r.board(ctx, at, limit)
	select {
	case <-f.done:
		return f, f.err
	case <-ctx.Done():
		r.leaveFlight(at, f)
		return nil, context.Cause(ctx)
	}
}

// board gives the flight at a cursor, begun if there is none. It outlives the stream that began it if others wait for it.
func (r *room) board(ctx context.Context, at roomlog.Cursor, limit roomlog.Limit) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.flights[at]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		ctx, f.cancel = beyond(ctx)
		r.flights[at] = f
		r.srv.streams.running.Go(func() { r.fly(ctx, at, limit, f) })
	}
	f.waiting++
	return f
}

// leaveFlight is for a stream that has ended. Nobody joins a flight that is cancelled because nobody waits for it.
func (r *room) leaveFlight(at roomlog.Cursor, f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		r.endFlight(at, f)
	}
}

func (r *room) fly(ctx context.Context, at roomlog.Cursor, limit roomlog.Limit, f *flight) {
	defer f.cancel()
	page, err := r.srv.config.engine.Read(ctx, r.id, at, limit)
	if err == nil {
		f.frames, err = r.framesOf(page.Records)
	}
	f.gap, f.err = page.Gap, err
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, frame := range f.frames {
		r.srv.asked.note(r.id, frame)
	}
	r.endFlight(at, f)
	close(f.done)
}

// endFlight lets the next reader begin another one. mu is held.
func (r *room) endFlight(at roomlog.Cursor, f *flight) {
	if r.flights[at] == f {
		delete(r.flights, at)
	}
}

// framesOf makes messages of a log ready to be sent.
func (r *room) framesOf(records []roomlog.Record) ([]frame, error) {
	frames := make([]frame, 0, len(records))
	for _, record := range records {
		f, err := r.frameOf(record)
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}
