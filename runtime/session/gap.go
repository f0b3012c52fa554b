package session

import (
	"context"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// Gap tells that messages of a room are missing and will not come: those after AfterSeq of Epoch and before NextSeq of
// NextEpoch.
type Gap struct {
	// RoomID is the room.
	RoomID string
	// Epoch names the log that the session was in.
	Epoch uint64
	// AfterSeq is the last sequence number of that log that the session received.
	AfterSeq uint64
	// NextEpoch names the log that the session goes on with; the same one if only a part of it is gone.
	NextEpoch uint64
	// NextSeq is where it goes on: the next message has this sequence number or a higher one.
	NextSeq uint64
	// Reason says why.
	Reason GapReason
}

// GapReason says why messages are missing.
type GapReason uint8

const (
	// GapReasonUnspecified means that the server does not say.
	GapReasonUnspecified GapReason = iota
	// GapReasonRetention means that the log no longer reaches back to where the session stood.
	GapReasonRetention
	// GapReasonOtherLog means that the log is another one, and the old one is lost. Nobody knows how much it had.
	GapReasonOtherLog
	// GapReasonLogCut means that the log ends before where the session stood.
	GapReasonLogCut
	// GapReasonChainBroken means that the session itself found that messages are missing, twice in the same place, and
	// the server said nothing of it.
	GapReasonChainBroken
)

// String gives the reason in words.
func (r GapReason) String() string {
	switch r {
	case GapReasonUnspecified:
		return "not told"
	case GapReasonRetention:
		return "the log no longer reaches back"
	case GapReasonOtherLog:
		return "the log is another one"
	case GapReasonLogCut:
		return "the log was cut"
	case GapReasonChainBroken:
		return "the server left messages out"
	default:
		return fmt.Sprintf("GapReason(%d)", uint8(r))
	}
}

// GapFunc is told of messages that are missing.
type GapFunc func(ctx context.Context, gap Gap)

// receiveGap takes a GAP frame. What it tells is told in the room's lane, after the messages before it.
func (s *Session) receiveGap(st *stream, message *imv1.MessageResponse) {
	if st.ctx.Err() != nil { // what it tells is told again
		return
	}
	frame := new(imsdkv1.Gap)
	if err := proto.Unmarshal(message.GetContent(), frame); err != nil || frame.GetNextEpoch() == 0 {
		st.cancel(&runtime.Error{Op: "stream", Code: codes.Internal, Message: "a gap does not parse", Err: err})
		return
	}
	room := frame.GetRoomId()
	if room == "" {
		room = message.GetRoomId()
	}
	after := position{epoch: frame.GetEpoch(), seq: frame.GetAfterSeq()}
	to := position{epoch: frame.GetNextEpoch(), seq: max(frame.GetNextSeq(), 1) - 1}
	cut := frame.GetReason() == imsdkv1.GapReason_GAP_REASON_LOG_CUT
	a, news := s.positions.jump(st.number, room, after, to, cut)
	if !news {
		st.log.Debug("a gap came again, or what it tells of was received", "room", room)
		return
	}
	if !s.lane(st, room, s.gapWork(a, gapReason(frame.GetReason())), false) {
		s.positions.undo(a)
	}
}

// gapReason takes a reason that this version does not know for none.
func gapReason(reason imsdkv1.GapReason) GapReason {
	if reason < 0 || reason >= imsdkv1.GapReason(GapReasonChainBroken) {
		return GapReasonUnspecified
	}
	return GapReason(reason)
}

// gapWork tells a gap, then moves the cursor behind it. One whose handler Close has interrupted comes again in the next
// process, but for that of a log that was cut: what is stored is where that ended, and nothing is missing from there.
func (s *Session) gapWork(a arrival, reason GapReason) func() {
	gap := Gap{
		RoomID: a.place.room, Epoch: a.before.epoch, AfterSeq: a.before.seq,
		NextEpoch: a.at.epoch, NextSeq: a.at.seq + 1, Reason: reason,
	}
	return func() {
		defer func() { // a handler may end its goroutine
			if s.ctx.Err() == nil {
				s.completed(a)
			}
		}()
		s.tellGap(gap)
	}
}

func (s *Session) tellGap(gap Gap) {
	s.counters.gaps.Add(1)
	s.config.log.Warn("messages are missing", "room", gap.RoomID, "reason", gap.Reason.String(),
		"epoch", gap.Epoch, "after_seq", gap.AfterSeq, "next_epoch", gap.NextEpoch, "next_seq", gap.NextSeq)
	onGap := s.config.receiving.onGap
	if onGap == nil {
		s.reportError(&runtime.Error{
			Op: "receive", Code: codes.DataLoss, RoomID: gap.RoomID,
			Message: fmt.Sprintf("messages are missing between %d and %d: %s", gap.AfterSeq, gap.NextSeq, gap.Reason),
		})
		return
	}
	defer func() {
		if reason := recover(); reason != nil {
			s.config.log.Error("the gap handler panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			s.reportError(&runtime.Error{
				Op: "handle gap", Code: codes.Internal, RoomID: gap.RoomID,
				Message: fmt.Sprintf("the handler panicked: %v", reason),
			})
		}
	}()
	onGap(s.ctx, gap)
}
