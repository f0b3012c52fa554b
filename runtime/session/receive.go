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

// receive takes an envelope from the stream's reader: it never waits for a handler unless a lane is full, and of a stream
// with flow control not even then.
func (s *Session) receive(st *stream, message *imv1.MessageResponse) {
	can := st.capabilities()
	switch kind := message.GetType(); {
	case kind == imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		st.heard(message.GetMessageId())
	case kind == imv1.MessageType_MESSAGE_TYPE_RECEIPT:
		s.receiveReceipts(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_JOINED, kind == imv1.MessageType_MESSAGE_TYPE_LEFT:
		s.answered(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_GAP && can.Resume:
		s.receiveGap(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_GO_AWAY && can.GoAway:
		s.receiveGoAway(st, message)
	case isControl(kind):
		st.log.Debug("a control frame that this version does not know is ignored", "type", int32(kind))
	case message.GetSeq() > 0 && can.Resume:
		s.receiveNumbered(st, message)
	default:
		s.lane(st, message.GetRoomId(), func() { s.run(message) }, false)
	}
}

// isControl tells whether a type is of the range of control frames.
func isControl(kind imv1.MessageType) bool { return kind >= 16 && kind <= 63 }

// receiveNumbered takes a message of a room's log. What is not handled on this stream comes again on the next one.
func (s *Session) receiveNumbered(st *stream, message *imv1.MessageResponse) {
	if st.ctx.Err() != nil {
		return
	}
	room := message.GetRoomId()
	a := s.positions.arrive(st.number, st.window(), numbered{
		room: room, at: position{epoch: message.GetEpoch(), seq: message.GetSeq()},
		prev: message.GetPrevSeq(), size: proto.Size(message),
	})
	message.Epoch = a.at.epoch
	switch a.verdict {
	case verdictNext:
		s.enter(st, a, message)
	case verdictMissing:
		missing := a
		missing.at.seq, missing.size = message.GetPrevSeq(), 0
		s.lanes.put(room, laneWork{run: s.gapWork(missing, GapReasonChainBroken), windowed: true})
		a.before = missing.at // the gap stays told
		s.enter(st, a, message)
	case verdictBroken:
		st.cancel(&runtime.Error{
			Op: "stream", Code: codes.DataLoss, RoomID: room,
			Message: fmt.Sprintf("messages are missing: after %d comes %d", a.before.seq, a.at.seq),
		})
	case verdictTooMuch:
		st.cancel(&runtime.Error{
			Op: "stream", Code: codes.ResourceExhausted, RoomID: room,
			Message: "the server sends more than the window lets it",
		})
	case verdictWaiting:
		s.dropRepeat(message)
	case verdictHandled:
		s.teller.moved(0)
		s.again(st, message)
	case verdictNoLog:
		s.lane(st, room, func() { s.run(message) }, false)
	}
}

// enter puts a message into its room's lane. Once its handler has returned, with an error or without, the cursor moves.
func (s *Session) enter(st *stream, a arrival, message *imv1.MessageResponse) {
	work := func() {
		interrupted := false
		defer func() { // a handler may end its goroutine
			if !interrupted {
				s.completed(a)
			}
		}()
		interrupted = s.run(message)
	}
	if !s.lane(st, message.GetRoomId(), work, true) {
		s.positions.undo(a)
	}
}

// completed moves a room's cursor.
func (s *Session) completed(a arrival) {
	if handled, ok := s.positions.complete(a); ok {
		s.teller.moved(handled)
	}
}

// again takes a repeat of a message whose handler has returned. One that failed runs again if the sender waits for an ACK.
func (s *Session) again(st *stream, message *imv1.MessageResponse) {
	if message.GetAckRequired() && message.GetMessageId() != "" {
		at := position{epoch: message.GetEpoch(), seq: message.GetSeq()}
		switch s.repeats.state(keyOf(message), at) {
		case repeatHandled:
			s.acknowledge(message.GetMessageId(), message.GetRoomId())
		case repeatFailed:
			s.lane(st, message.GetRoomId(), func() { s.run(message) }, false)
			return
		default:
		}
	}
	s.dropRepeat(message)
}

func (s *Session) dropRepeat(message *imv1.MessageResponse) {
	s.counters.repeats.Add(1)
	s.config.log.Debug("a message came again and is dropped", "message_id", message.GetMessageId())
}

// lane puts work into a room's lane. While that is full the reader stands still, and silence proves nothing; not so on a
// stream with flow control, whose server stops by itself: windowed is what its window bounds. A lane that overflows ends
// the stream: nothing is left out without a word. false: the work will not run.
func (s *Session) lane(st *stream, room string, work func(), windowed bool) bool {
	var result pushed
	if st.window() > 0 {
		result = s.lanes.put(room, laneWork{run: work, windowed: windowed})
	} else {
		result = s.lanes.push(st.ctx.Done(), room, work, st.watch.suspend, st.watch.resume)
	}
	if result == pushedOver {
		st.cancel(&runtime.Error{
			Op: "stream", Code: codes.ResourceExhausted, RoomID: room,
			Message: "the room's handlers are too slow: too many messages wait for them",
		})
	}
	return result == pushedIn
}

// run hands a message on, in the goroutine of its room. It tells whether Close has interrupted the handler: its error
// then says nothing about the message.
func (s *Session) run(message *imv1.MessageResponse) (interrupted bool) {
	if message.GetType() == imv1.MessageType_MESSAGE_TYPE_ACK {
		s.handleAck(message)
		return false
	}
	return s.deliver(message) == repeatFailed && s.ctx.Err() != nil
}

// deliver handles a message, unless it is an own one or a repeat. It tells what became of it.
func (s *Session) deliver(message *imv1.MessageResponse) repeatState {
	if !s.config.receiving.echo && s.isEcho(message) {
		s.config.log.Debug("an own message came back and is dropped", "message_id", message.GetMessageId())
		return repeatDone
	}
	in := incoming(message)
	if in.ID == "" { // nothing tells a repeat
		s.counters.received.Add(1)
		return s.handle(in)
	}
	key, at := keyOf(message), position{epoch: in.Epoch, seq: in.Seq}
	switch state := s.repeats.state(key, at); state {
	case repeatDone, repeatHandled:
		s.dropRepeat(message)
		if state == repeatHandled && in.AckRequired {
			s.acknowledge(in.ID, in.RoomID)
		}
		return state
	default:
		s.counters.received.Add(1)
		state := s.handle(in)
		s.repeats.set(key, at, state)
		return state
	}
}

func keyOf(message *imv1.MessageResponse) messageKey {
	return messageKey{room: message.GetRoomId(), from: message.GetFromUserId(), id: message.GetMessageId()}
}

// isEcho tells whether a message is one that this session sent: by its session, or where the server does not tell it,
// by its sender and id.
func (s *Session) isEcho(message *imv1.MessageResponse) bool {
	if id := message.GetSessionId(); id != 0 {
		return id == s.id
	}
	if message.GetFromUserId() != s.config.user || message.GetMessageId() == "" {
		return false
	}
	s.unary.wait(s.ctx, message.GetRoomId())
	return s.outbox.isOwn(message.GetMessageId())
}

func (s *Session) receiveReceipts(st *stream, message *imv1.MessageResponse) {
	receipts := new(imsdkv1.Receipts)
	if err := proto.Unmarshal(message.GetContent(), receipts); err != nil {
		st.cancel(&runtime.Error{Op: "stream", Code: codes.Internal, Message: "a receipt does not parse", Err: err})
		return
	}
	for _, receipt := range receipts.GetReceipts() {
		s.outbox.settle(receipt)
	}
}

// incoming makes of an envelope what interceptors and handlers see.
func incoming(message *imv1.MessageResponse) *runtime.Incoming {
	in := &runtime.Incoming{
		Envelope: runtime.Envelope{
			ID:          message.GetMessageId(),
			RoomID:      message.GetRoomId(),
			From:        message.GetFromUserId(),
			Metadata:    message.GetMetadata(),
			AckRequired: message.GetAckRequired(),
			Seq:         message.GetSeq(),
			Epoch:       message.GetEpoch(),
			Raw:         message.GetContent(),
		},
		Type: int32(message.GetType()),
	}
	if message.GetTimestamp() != nil {
		in.Time = message.GetTimestamp().AsTime()
	}
	return in
}

// handle decodes a message, runs its handler, and acknowledges it if it asks for that and the handler returned nil. It
// tells what a repeat of the message is.
func (s *Session) handle(in *runtime.Incoming) repeatState {
	id, room, ackRequired := in.ID, in.RoomID, in.AckRequired // in belongs to the handler
	handled, err := s.runHandler(in)
	switch {
	case err != nil:
		s.reportError(handlerError(in, err))
		return repeatFailed
	case !handled:
		return repeatDone
	case ackRequired:
		s.acknowledge(id, room)
	}
	return repeatHandled
}

// runHandler tells whether a handler took the message. It turns a panic into an error.
func (s *Session) runHandler(in *runtime.Incoming) (handled bool, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			s.config.log.Error("a handler panicked",
				"type", in.Type, "room", in.RoomID, "message_id", in.ID,
				"panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			handled, err = false, &runtime.Error{
				Op: "handle", Code: codes.Internal, RoomID: in.RoomID, MessageID: in.ID,
				Message: fmt.Sprintf("the handler panicked: %v", reason),
			}
		}
	}()
	s.router.Decode(in)
	handled = true // what an interceptor keeps to itself and calls done is done
	err = runtime.ChainReceive(s.config.receiving.interceptors,
		func(ctx context.Context, in *runtime.Incoming) error {
			var err error
			handled, err = s.route(ctx, in)
			return err
		})(s.ctx, in)
	return handled, err
}

// route is behind the interceptors. Only a handler of the kind, or of those without one, counts as handling.
func (s *Session) route(ctx context.Context, in *runtime.Incoming) (handled bool, err error) {
	if s.config.handlers.onMessage != nil {
		s.config.handlers.onMessage(ctx, in)
	}
	led, err := s.router.Handle(ctx, in)
	switch led {
	case runtime.Handled:
		return true, err
	case runtime.Invalid:
		s.counters.invalid.Add(1)
		return false, err
	case runtime.Unhandled:
		s.counters.unhandled.Add(1)
		return orElse(ctx, in, s.config.handlers.unhandled)
	default:
		s.counters.unknown.Add(1)
		return orElse(ctx, in, s.config.handlers.unknown)
	}
}

func orElse(ctx context.Context, in *runtime.Incoming, handler runtime.ReceiveFunc) (handled bool, err error) {
	if handler == nil {
		return false, nil
	}
	return true, handler(ctx, in)
}

// handlerError is what OnError is told of a handler's error, or of a content that did not parse or validate.
func handlerError(in *runtime.Incoming, err error) error {
	e := &runtime.Error{Code: codes.Unknown, Err: err}
	if typed, ok := err.(*runtime.Error); ok { //nolint:errorlint // a wrapped one is the handler's own text
		if typed.Op != "" {
			return typed
		}
		filled := *typed
		e = &filled
	}
	e.Op, e.RoomID, e.MessageID = "handle", in.RoomID, in.ID
	if e.Kind == "" && in.Kind != nil {
		e.Kind = in.Kind.Name
	}
	return e
}
