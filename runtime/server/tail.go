package server

import (
	"slices"
	"sort"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// What a room keeps at hand of its log. Readers that are further behind read from the log itself.
const (
	tailMessages = 256
	tailBytes    = 64 << 10
	tailAge      = time.Minute // whoever is further behind gets what the log's retention has left
)

// tail is the end of a room's log, ready to be sent. Its room's lock guards it.
type tail struct {
	epoch  uint64
	base   uint64      // the cursor before the first frame
	head   uint64      // the seq of the last frame, or base
	frames []frame     // by seq, without a hole
	heard  []time.Time // when each frame was published
	bytes  int
}

// start is the end of the log as it was when the room was opened. What has been published since is newer.
func (t *tail) start(head roomlog.Cursor) {
	if t.epoch == 0 {
		t.epoch, t.base, t.head = head.Epoch, head.Seq, head.Seq
	}
}

// add takes a frame that was published. One that does not link to the last one begins the tail anew: readers find what
// is between in the log.
func (t *tail) add(f frame) {
	place := f.place
	switch {
	case place.Epoch == t.epoch && place.Seq <= t.head:
		return
	case place.Epoch != t.epoch || place.PrevSeq != t.head:
		*t = tail{epoch: place.Epoch, base: place.PrevSeq}
	}
	t.frames, t.heard = append(t.frames, f), append(t.heard, time.Now())
	t.bytes += f.size
	t.head = place.Seq
	t.trim()
}

// trim drops the oldest frames, those that are too many or too old.
func (t *tail) trim() {
	drop, now := 0, time.Now()
	for left := len(t.frames); left > 0; left-- {
		if left <= tailMessages && (t.bytes <= tailBytes || left == 1) && now.Sub(t.heard[drop]) <= tailAge {
			break
		}
		t.bytes -= t.frames[drop].size
		t.base = t.frames[drop].place.Seq
		drop++
	}
	t.frames, t.heard = slices.Delete(t.frames, 0, drop), slices.Delete(t.heard, 0, drop)
}

// covers tells whether everything after a cursor is here.
func (t *tail) covers(at roomlog.Cursor) bool {
	t.trim()
	return at.Epoch == t.epoch && at.Seq >= t.base && at.Seq <= t.head
}

// after gives the frames after a seq of the tail.
func (t *tail) after(seq uint64) []frame {
	first := sort.Search(len(t.frames), func(i int) bool { return t.frames[i].place.Seq > seq })
	return t.frames[first:]
}

func (t *tail) end() roomlog.Cursor { return roomlog.Cursor{Epoch: t.epoch, Seq: t.head} }
