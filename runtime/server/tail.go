package server

import (
	"slices"
	"sort"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// What a room keeps at hand of its log. Readers that are further behind read from the log itself.
const (
	tailMessages = 256
	tailBytes    = 64 << 10
)

// tail is the end of a room's log, ready to be sent. Its room's lock guards it.
type tail struct {
	epoch  uint64
	base   uint64  // the cursor before the first frame
	head   uint64  // the seq of the last frame, or base
	frames []frame // by seq, without a hole
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
	t.frames = append(t.frames, f)
	t.bytes += f.size
	t.head = place.Seq
	drop := 0
	for len(t.frames)-drop > tailMessages || t.bytes > tailBytes && len(t.frames)-drop > 1 {
		t.bytes -= t.frames[drop].size
		t.base = t.frames[drop].place.Seq
		drop++
	}
	t.frames = slices.Delete(t.frames, 0, drop)
}

// covers tells whether everything after a cursor is here.
func (t *tail) covers(at roomlog.Cursor) bool {
	return at.Epoch == t.epoch && at.Seq >= t.base && at.Seq <= t.head
}

// after gives the frames after a seq of the tail.
func (t *tail) after(seq uint64) []frame {
	first := sort.Search(len(t.frames), func(i int) bool { return t.frames[i].place.Seq > seq })
	return t.frames[first:]
}

func (t *tail) end() roomlog.Cursor { return roomlog.Cursor{Epoch: t.epoch, Seq: t.head} }
