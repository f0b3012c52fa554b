package session

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// Gap tells what the session will not get: all messages of a room after one position, up to another one. Everything
// before it has been handled, everything after it comes.
type Gap struct {
	// RoomID is the room.
	RoomID string
	// Epoch and AfterSeq are the last message that the session has: its log, and its number there.
	Epoch, AfterSeq uint64
	// NextEpoch and NextSeq are where it goes on: the next message has that number or a higher one, in that log.
	NextEpoch, NextSeq uint64
	// Reason says why.
	Reason GapReason
}

// GapReason says why messages are missing.
type GapReason uint8

const (
	// GapUnknown: the server does not say.
	GapUnknown GapReason = iota
	// GapRetention: the session was away for longer than the room's log reaches back.
	GapRetention
	// GapOtherLog: the server has lost the log, or has another one.
	GapOtherLog
	// GapLogCut: the log ends before what the session has seen.
	GapLogCut
	// GapChainBroken: the server left messages out and did not say so, twice.
	GapChainBroken
)

// String gives the reason in words.
func (r GapReason) String() string {
	switch r {
	case GapUnknown:
		return "the server does not say why"
	case GapRetention:
		return "the log no longer has them"
	case GapOtherLog:
		return "the log was lost"
	case GapLogCut:
		return "the log was cut"
	case GapChainBroken:
		return "the server left them out"
	default:
		return fmt.Sprintf("GapReason(%d)", uint8(r))
	}
}

// GapFunc is told of a gap.
type GapFunc func(ctx context.Context, gap Gap)

// receiveGap takes a GAP frame.
func (s *Session) receiveGap(st *stream, message *imv1.MessageResponse) {
	told := new(imsdkv1.Gap)
	if err := proto.Unmarshal(message.GetContent(), told); err != nil || told.GetNextEpoch() == 0 || told.GetNextSeq() == 0 {
		st.cancel(&runtime.Error{Op: "stream", Code: codes.Internal, Message: "a gap does not parse", Err: err})
		return
	}
	if !st.capabilities().Resume || !s.rooms.has(told.GetRoomId()) {
		return
	}
	s.goOver(st, told.GetRoomId(), logAt{told.GetNextEpoch(), told.GetNextSeq() - 1}, gapReason(told.GetReason()))
}

func gapReason(told imsdkv1.GapReason) GapReason {
	switch told {
	case imsdkv1.GapReason_GAP_REASON_RETENTION:
		return GapRetention
	case imsdkv1.GapReason_GAP_REASON_OTHER_LOG:
		return GapOtherLog
	case imsdkv1.GapReason_GAP_REASON_LOG_CUT:
		return GapLogCut
	default:
		return GapUnknown
	}
}

// goOver moves on over a gap, and tells the application in its place between the room's messages. One that was told before, on
// a stream that broke, is not told again.
func (s *Session) goOver(st *stream, room string, next logAt, reason GapReason) {
	there, before, ok := s.positions.jump(room, next)
	if !ok {
		return
	}
	s.counters.gaps.Add(1)
	gap := Gap{
		RoomID: room, Epoch: before.epoch, AfterSeq: before.seq, NextEpoch: next.epoch, NextSeq: next.seq + 1, Reason: reason,
	}
	s.lane(st, room, true, func() {
		defer s.moveCursor(there, next, 0)
		s.tellGap(gap)
	})
}

func (s *Session) tellGap(gap Gap) {
	s.config.log.Warn("messages are missing", "room", gap.RoomID, "reason", gap.Reason.String(),
		"epoch", gap.Epoch, "after_seq", gap.AfterSeq, "next_epoch", gap.NextEpoch, "next_seq", gap.NextSeq)
	onGap := s.config.handlers.onGap
	if onGap == nil {
		s.reportError(&runtime.Error{
			Op: "receive", Code: codes.DataLoss, RoomID: gap.RoomID, Message: "messages are missing: " + gap.Reason.String(),
		})
		return
	}
	if err := s.guard("the gap handler", func() { onGap(s.ctx, gap) }); err != nil {
		s.reportError(withOp("handle gap", gap.RoomID, err))
	}
}
