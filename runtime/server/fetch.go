package server

import (
	"log/slog"
	"slices"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
)

// fetchMessages and fetchBytes bound a page: what is read of a log at once for one reader.
const (
	fetchMessages = 256
	fetchBytes    = 256 << 10
)

// fetchAgain is how long a reader waits that found nothing in the log where there should be something.
const fetchAgain = 100 * time.Millisecond

// startFetch reads a page for a reader, if there is one, in a goroutine of its own, so that the stream's other rooms and
// its control frames do not wait for the log.
func (st *stream) startFetch(rd *reader) {
	if rd != nil {
		st.srv.streams.running.Go(func() { st.fetch(rd) })
	}
}

// fetch reads a page for a reader that the room's tail does not reach, then for one that waits if that one has none.
func (st *stream) fetch(rd *reader) {
	for rd != nil && st.ctx.Err() == nil {
		if st.fetchPage(rd) {
			return // sendTurn frees the page
		}
		rd = st.out.freePage()
	}
}

// fetchPage tells whether the reader has a page now.
func (st *stream) fetchPage(rd *reader) bool {
	r := rd.room
	r.mu.Lock()
	at, limit, done := rd.at, rd.limit(), rd.done()
	r.mu.Unlock()
	if done {
		return false
	}
	read, err := r.read(st.ctx, at, limit)
	if err != nil {
		st.logFailed(r.id, err)
		return false
	}
	frames := read.frames
	if read.gap != nil && !sabotage.NoGap {
		told, err := st.gapFrame(r, at, read.gap)
		if err != nil {
			st.end(err)
			return false
		}
		frames = append([]frame{told}, frames...)
	}
	return rd.give(read.gap, frames)
}

// gapFrame is a gap as the stream is told it. A stream that cannot be told of a gap has to end.
func (st *stream) gapFrame(r *room, at roomlog.Cursor, gap *roomlog.Gap) (frame, error) {
	switch {
	case st.contract.resume:
		return gapFrame(r.id, at, gap)
	case gap.Reason != roomlog.GapRetention:
		return frame{}, refuse(codes.Unavailable, "the log of room %q is lost: connect again", r.id)
	default:
		st.srv.counts.slowReaders.Add(1)
		return frame{}, refuse(codes.ResourceExhausted, "this client reads too slowly: the log of room %q has gone on", r.id)
	}
}

// logFailed ends a stream whose room's log cannot be read or written. The client comes back and tries again.
func (st *stream) logFailed(roomID string, err error) {
	if st.ctx.Err() == nil {
		st.srv.log.Error("the log of a room failed", slog.String("room", roomID), slog.Any("error", err))
	}
	st.end(refuse(codes.Unavailable, "the log of room %q cannot be reached for now: connect again", roomID))
}

// limit bounds a page to what the window takes. The room's lock is held.
func (rd *reader) limit() roomlog.Limit {
	limit := roomlog.Limit{Messages: fetchMessages, Bytes: fetchBytes}
	if rd.window > 0 && !sabotage.NoWindow {
		limit.Bytes = max(1, min(limit.Bytes, rd.window-rd.bytes))
	}
	return limit
}

// give hands a reader what was read for it, as far as the window takes it, and wakes it if it can go on. It tells whether
// the reader has a page now. One whose window is shut is woken by a cursor.
func (rd *reader) give(gap *roomlog.Gap, frames []frame) bool {
	r := rd.room
	r.mu.Lock()
	defer r.mu.Unlock()
	rd.fetching, rd.needs = false, 0
	if gap != nil {
		rd.goOnAt(gap.Next)
	}
	rd.fetched = rd.fitting(frames)
	switch {
	case len(rd.fetched) > 0:
		rd.st.out.mark(rd)
	case len(frames) > 0:
		rd.needs = frames[0].size
	case r.tail.covers(rd.at):
		rd.st.out.mark(rd)
	default: // the engine is late: what is missing comes yet, here or in the tail
		time.AfterFunc(fetchAgain, func() { rd.st.out.mark(rd) })
	}
	return len(rd.fetched) > 0
}

// fitting gives the first of some frames, as many as the window takes. The room's lock is held.
func (rd *reader) fitting(frames []frame) []frame {
	bytes := rd.bytes
	for i, f := range frames {
		if !rd.fits(bytes, f) {
			return slices.Clone(frames[:i]) // so that the others can go
		}
		if !f.isGap() {
			bytes += f.size
		}
	}
	return frames
}
