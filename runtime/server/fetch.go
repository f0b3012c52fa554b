package server

import (
	"log/slog"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
)

// fetchMessages and fetchBytes bound what is read of a log at once for one reader.
const (
	fetchMessages = 256
	fetchBytes    = 256 << 10
)

// fetchAgain is how long a reader waits that found nothing in the log where there should be something.
const fetchAgain = 100 * time.Millisecond

// fetch reads on from the log for a reader that the room's tail does not reach. It runs in a goroutine of its own, so
// that the stream's other rooms and its control frames do not wait for the log; one at a time for a reader.
func (st *stream) fetch(rd *reader) {
	r := rd.room
	r.mu.Lock()
	at := rd.at
	r.mu.Unlock()
	page, err := st.srv.config.engine.Read(st.ctx, r.id, at, roomlog.Limit{Messages: fetchMessages, Bytes: fetchBytes})
	if err != nil {
		st.logFailed(r.id, err)
		st.out.fetched(nil)
		return
	}
	frames, err := st.framesOf(r, at, page)
	if err != nil {
		st.end(err)
		st.out.fetched(nil)
		return
	}
	st.out.fetched(rd.give(page.Gap, frames))
}

// framesOf makes a page ready to be sent, its gap first. A stream that cannot be told of a gap has to end.
func (st *stream) framesOf(r *room, at roomlog.Cursor, page roomlog.Page) ([]frame, error) {
	frames := make([]frame, 0, len(page.Records)+1)
	if page.Gap != nil && !sabotage.NoGap {
		if !st.contract.resume && page.Gap.Reason != roomlog.GapRetention {
			return nil, refuse(codes.Unavailable, "the log of room %q is lost: connect again", r.id)
		}
		if !st.contract.resume {
			st.srv.counts.slowReaders.Add(1)
			return nil, refuse(codes.ResourceExhausted, "this client reads too slowly: the log of room %q has gone on", r.id)
		}
		gap, err := gapFrame(r.id, at, page.Gap)
		if err != nil {
			return nil, err
		}
		frames = append(frames, gap)
	}
	for _, record := range page.Records {
		f, err := r.frameOf(record)
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// logFailed ends a stream whose room's log cannot be read or written. The client comes back and tries again.
func (st *stream) logFailed(roomID string, err error) {
	if st.ctx.Err() == nil {
		st.srv.log.Error("the log of a room failed", slog.String("room", roomID), slog.Any("error", err))
	}
	st.end(refuse(codes.Unavailable, "the log of room %q cannot be reached for now: connect again", roomID))
}

// give hands a reader what was read for it. It gives the reader back if that lets it go on.
func (rd *reader) give(gap *roomlog.Gap, frames []frame) *reader {
	r := rd.room
	r.mu.Lock()
	defer r.mu.Unlock()
	rd.fetching, rd.fetched = false, frames
	if gap != nil {
		rd.at = gap.Next
	}
	for _, f := range frames {
		r.srv.asked.note(r.id, f)
	}
	if len(frames) == 0 && !r.tail.covers(rd.at) { // the engine is late: what is missing comes yet, here or in the tail
		time.AfterFunc(fetchAgain, func() { rd.st.out.mark(rd) })
		return nil
	}
	return rd
}
