package session

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// receiveNumbered takes a message of a room's log: the next one of the chain goes into the room's lane, one that was received
// before is a repeat, and anything else means that something is missing.
func (s *Session) receiveNumbered(st *stream, message *imv1.MessageResponse) {
	room := message.GetRoomId()
	if !s.rooms.has(room) {
		st.log.Debug("a message of a room that the session has left is dropped", "room", room)
		return
	}
	at, size := logAt{message.GetEpoch(), message.GetSeq()}, proto.Size(message)
	there, is := s.positions.accept(room, at, message.GetPrevSeq(), size, st.capabilities().FlowControl)
	if is == holeAgain {
		s.goOver(st, room, logAt{at.epoch, message.GetPrevSeq()}, GapChainBroken)
		there, is = s.positions.accept(room, at, message.GetPrevSeq(), size, st.capabilities().FlowControl)
	}
	switch is {
	case inChain:
		s.lane(st, room, true, func() {
			defer s.moveCursor(there, at, size)
			s.deliverNumbered(message)
		})
	case repeated:
		s.receiveRepeat(st, message)
	case tooMuch:
		st.cancel(&runtime.Error{
			Op: "stream", Code: codes.ResourceExhausted, RoomID: room, Message: "the server sends more than the window lets it",
		})
	default:
		st.cancel(&runtime.Error{
			Op: "stream", Code: codes.DataLoss, RoomID: room,
			Message: "the server left messages out: the session asks for them again",
		})
	}
}

// receiveRepeat drops a message that was received before. One that asks for an ACK waits behind the first one: it is
// acknowledged again if that was handled, and handled again if that failed.
func (s *Session) receiveRepeat(st *stream, message *imv1.MessageResponse) {
	if !message.GetAckRequired() {
		s.counters.repeats.Add(1)
		return
	}
	s.lane(st, message.GetRoomId(), false, func() {
		if before := s.repeats.of(keyOf(message)); before.state == repeatFailed && !s.dropEcho(message) {
			s.handleNew(message, before)
		} else {
			s.handleAgain(message, before)
		}
	})
}

// deliverNumbered handles the next message of a room's log, unless it is an own one, or one that was in another log before.
// Within a log two messages are two, whatever their ids. It runs in the goroutine of the message's room.
func (s *Session) deliverNumbered(message *imv1.MessageResponse) {
	if s.dropEcho(message) {
		return
	}
	before := s.repeats.of(keyOf(message))
	if before.epoch == message.GetEpoch() {
		before = repeat{}
	}
	s.handleNew(message, before)
}

// moveCursor says that a message's handler has returned, with or without an error.
func (s *Session) moveCursor(there *place, to logAt, size int) {
	if moved, soon := s.positions.handled(there, to, size); moved {
		s.cursors.moved(soon)
	}
}
