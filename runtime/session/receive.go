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

// receive takes an envelope from the stream's reader: it never waits for a handler unless a lane is full.
func (s *Session) receive(st *stream, message *imv1.MessageResponse) {
	switch kind := message.GetType(); {
	case kind == imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		st.heard(message.GetMessageId())
	case kind == imv1.MessageType_MESSAGE_TYPE_RECEIPT:
		s.receiveReceipts(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_JOINED, kind == imv1.MessageType_MESSAGE_TYPE_LEFT:
		s.receiveAnswer(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_GAP:
		s.receiveGap(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_GO_AWAY:
		s.receiveGoAway(st, message)
	case kind == imv1.MessageType_MESSAGE_TYPE_ACK:
		s.lane(st, message.GetRoomId(), false, func() { s.handleAck(message) })
	case isControl(kind):
		st.log.Debug("a control frame that this version does not know is ignored", "type", int32(kind))
	case message.GetSeq() > 0 && st.capabilities().Resume:
		s.receiveNumbered(st, message)
	default:
		s.lane(st, message.GetRoomId(), false, func() { s.deliver(message) })
	}
}

// isControl tells whether a type is of the range of control frames.
func isControl(kind imv1.MessageType) bool { return kind >= 16 && kind <= 63 }

// lane puts work into its room's lane. With windows the reader never waits: what they bound always has a place. Without, a
// full lane makes the reader stand still, and silence proves nothing. A lane that overflows ends the stream: nothing is left
// out without a word.
func (s *Session) lane(st *stream, room string, windowed bool, work func()) {
	ok := true
	switch {
	case !st.capabilities().FlowControl:
		ok = s.lanes.push(st.ctx.Done(), room, work, st.watch.suspend, st.watch.resume)
	case windowed:
		s.lanes.add(room, work)
	default:
		ok = s.lanes.addCounted(room, work)
	}
	if !ok {
		st.cancel(&runtime.Error{
			Op: "stream", Code: codes.ResourceExhausted, RoomID: room,
			Message: "the room's handlers are too slow: too many messages wait for them",
		})
	}
}

// deliver handles a message of a stream without resume, unless it is an own one or a repeat; what has a number is none. It runs
// in the goroutine of the message's room.
func (s *Session) deliver(message *imv1.MessageResponse) {
	if s.dropEcho(message) {
		return
	}
	before := repeat{}
	if message.GetSeq() == 0 {
		before = s.repeats.of(keyOf(message))
	}
	s.handleNew(message, before)
}

// dropEcho tells whether a message is an own one that nobody wants.
func (s *Session) dropEcho(message *imv1.MessageResponse) bool {
	if s.config.receiving.echo || !s.isEcho(message) {
		return false
	}
	s.config.log.Debug("an own message came back and is dropped", "message_id", message.GetMessageId())
	return true
}

// handleNew handles a message, unless it is one that was handled before.
func (s *Session) handleNew(message *imv1.MessageResponse, before repeat) {
	switch before.state {
	case repeatDone, repeatHandled:
		s.handleAgain(message, before)
	default:
		s.counters.received.Add(1)
		key := keyOf(message)
		s.repeats.note(key, message.GetEpoch(), s.handle(incoming(message)))
	}
}

// handleAgain acknowledges a repeat again that was handled and asks for it.
func (s *Session) handleAgain(message *imv1.MessageResponse, before repeat) {
	s.counters.repeats.Add(1)
	s.config.log.Debug("a message came again and is dropped", "message_id", message.GetMessageId())
	if before.state == repeatHandled && message.GetAckRequired() {
		s.acknowledge(message.GetMessageId(), message.GetRoomId())
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
