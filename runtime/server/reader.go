package server

import (
	"sync/atomic"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// What a stream sends of one room before another has its turn.
const (
	turnMessages = 64
	turnBytes    = 64 << 10
)

// reader is a stream's place in a room's log. The room's lock guards it, but for queued.
type reader struct {
	st   *stream
	room *room

	at       roomlog.Cursor // everything up to here was taken to be sent, or was not for this stream
	window   int            // bytes that may be in flight; 0: no bound
	inFlight []flying       // sent and beyond the reader's cursor, oldest first
	bytes    int            // of inFlight
	fetched  []frame        // a page of the log, for when the room's tail does not reach back to at; the window takes all of it
	fetching bool           // or waits for its turn to be read a page
	needs    int            // the size of what comes next, if the window had no room for it; 0: not known
	left     bool           // the stream is no longer in the room
	until    uint64         // and takes nothing beyond this
	stop     atomic.Bool    // nor sends what it has taken: the client was told that it has left

	queued bool // in the outbox's list; its lock guards this
}

// flying is a message that was sent and not handled yet.
type flying struct {
	at   roomlog.Cursor
	size int
}

// newReader puts a stream's reader at a cursor, or at the log's end where there is none. mu is held.
func (r *room) newReader(st *stream, from *imsdkv1.Cursor) *reader {
	rd := &reader{st: st, room: r, at: r.tail.end(), window: st.window}
	if st.contract.resume && from.GetEpoch() != 0 && !sabotage.NoReplay {
		rd.at = roomlog.Cursor{Epoch: from.GetEpoch(), Seq: from.GetSeq()}
	}
	return rd
}

// step is what a reader does after a turn.
type step int

const (
	idle    step = iota // until it is woken
	again               // takes another turn
	fromLog             // needs a page of the log first
)

// take gives what the stream may send now, a turn at most. The room's lock is held.
func (rd *reader) take() (turn []frame, then step) {
	switch {
	case rd.fetching:
		return nil, idle
	case len(rd.fetched) > 0:
		turn, taken := rd.pick(rd.fetched)
		if rd.fetched = rd.fetched[taken:]; taken == 0 { // the stream has left the room
			rd.fetched, rd.until = nil, rd.at.Seq
		}
		return turn, again
	case rd.room.tail.covers(rd.at):
		source := rd.room.tail.after(rd.at.Seq)
		turn, taken := rd.pick(source)
		if taken > 0 && taken < len(source) {
			return turn, again
		}
		return turn, idle
	case rd.done() || rd.shut():
		return nil, idle
	default:
		rd.fetching = true
		return nil, fromLog
	}
}

// done tells whether the reader wants nothing more. The room's lock is held.
func (rd *reader) done() bool { return rd.left && rd.at.Seq >= rd.until }

// pick goes along frames as far as turn and window let it.
func (rd *reader) pick(source []frame) (turn []frame, taken int) {
	bytes := 0
	for _, f := range source {
		beyond := rd.left && (f.place.Seq == 0 || f.place.Seq > rd.until)
		if beyond || !rd.fits(rd.bytes, f) || len(turn) == turnMessages || bytes >= turnBytes {
			break
		}
		taken++
		if f.place.Seq > 0 {
			rd.at, rd.needs = roomlog.Cursor{Epoch: f.place.Epoch, Seq: f.place.Seq}, 0
		}
		if rd.skips(f) {
			continue
		}
		turn = append(turn, f)
		bytes += f.size
		switch {
		case f.isGap():
			rd.st.srv.counts.gaps.Add(1)
		case rd.window > 0:
			rd.inFlight = append(rd.inFlight, flying{at: rd.at, size: f.size})
			rd.bytes += f.size
		}
	}
	return turn, taken
}

// fits tells whether the window has room for a frame beside some bytes. Where there are none there always is, and a GAP
// needs none.
func (rd *reader) fits(bytes int, f frame) bool {
	return rd.window == 0 || bytes == 0 || f.isGap() || bytes+f.size <= rd.window || sabotage.NoWindow
}

// shut tells whether the window has no room for what comes next, as far as that is known. A cursor opens it.
func (rd *reader) shut() bool {
	return rd.window > 0 && rd.bytes > 0 && rd.bytes+max(rd.needs, 1) > rd.window && !sabotage.NoWindow
}

// skips tells whether a frame is one that the stream itself has sent and does not get back, or a gap that it does not
// understand. With resume the log is sent whole.
func (rd *reader) skips(f frame) bool {
	st := rd.st
	switch {
	case st.contract.resume:
		return false
	case f.isGap():
		return true
	case f.origin != st.origin:
		return false
	}
	return st.contract.known || !st.srv.config.echoToday || f.isNotice()
}

// leave ends the reading, at once or, if the stream is to have what was said until now, at the log's end. The room's lock is
// held.
func (rd *reader) leave(finish bool) {
	rd.left, rd.until = true, rd.at.Seq
	rd.stop.Store(!finish)
	if finish && rd.room.tail.epoch == rd.at.Epoch {
		rd.until = rd.room.tail.head
	}
}

// moved tells that the reader has handled everything up to a cursor. It tells whether the window has opened. The room's lock
// is held.
func (rd *reader) moved(to roomlog.Cursor) bool {
	before := rd.bytes
	for len(rd.inFlight) > 0 {
		first := rd.inFlight[0]
		older := first.at.Epoch != to.Epoch && to.Epoch == rd.at.Epoch
		if !older && (first.at.Epoch != to.Epoch || first.at.Seq > to.Seq) {
			break
		}
		rd.bytes -= first.size
		rd.inFlight = rd.inFlight[1:]
	}
	return rd.bytes < before
}

// goOnAt puts the reader behind a gap. If the log was cut, what is in flight beyond its end is told by no cursor any more. The
// room's lock is held.
func (rd *reader) goOnAt(next roomlog.Cursor) {
	rd.at = next
	last := len(rd.inFlight) - 1
	for ; last >= 0 && rd.inFlight[last].at.Epoch == next.Epoch && rd.inFlight[last].at.Seq > next.Seq; last-- {
		rd.bytes -= rd.inFlight[last].size
	}
	rd.inFlight = rd.inFlight[:last+1]
}

// gapFrame tells a reader what it will not get.
func gapFrame(roomID string, at roomlog.Cursor, gap *roomlog.Gap) (frame, error) {
	message, err := controlFrame(imv1.MessageType_MESSAGE_TYPE_GAP,
		&imv1.MessageResponse{RoomId: roomID, Epoch: gap.Next.Epoch}, &imsdkv1.Gap{
			RoomId: roomID, Epoch: at.Epoch, AfterSeq: at.Seq, NextEpoch: gap.Next.Epoch, NextSeq: gap.Next.Seq + 1,
			Reason: gapReason(gap.Reason),
		})
	if err != nil {
		return frame{}, err
	}
	return newFrame(message), nil
}

func gapReason(reason roomlog.GapReason) imsdkv1.GapReason {
	switch reason {
	case roomlog.GapRetention:
		return imsdkv1.GapReason_GAP_REASON_RETENTION
	case roomlog.GapOtherLog:
		return imsdkv1.GapReason_GAP_REASON_OTHER_LOG
	case roomlog.GapLogCut:
		return imsdkv1.GapReason_GAP_REASON_LOG_CUT
	default:
		return imsdkv1.GapReason_GAP_REASON_UNSPECIFIED
	}
}
