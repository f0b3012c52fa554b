package server

import (
	"context"
	"time"
	"unicode/utf8"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/sabotage"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// submission is one message on its way into a room.
type submission struct {
	request *imv1.MessageRequest // checked; user_id is the sender
	hash    roomlog.Hash         // of what the sender sent
	room    *room
	stream  *stream // nil: a unary call or the backend

	fromBackend bool // the room's rules for users do not count
}

// takeFromStream is for what a stream sends.
func (s *Server) takeFromStream(st *stream, request *imv1.MessageRequest) (*runtime.Receipt, error) {
	if err := checkSendable(request); err != nil {
		return nil, err
	}
	r, err := s.roomOfSender(st, request.GetRoomId())
	if err != nil {
		return nil, err
	}
	return s.take(st.ctx, r, st, request)
}

// checkSendable refuses what is no message of a client.
func checkSendable(request *imv1.MessageRequest) error {
	kind := request.GetType()
	switch {
	case kind <= imv1.MessageType_MESSAGE_TYPE_UNSPECIFIED:
		return refuse(codes.InvalidArgument, "type is not set: say what the content is")
	case isControl(kind):
		return refuse(codes.InvalidArgument, "type %s is a control frame that was not agreed on here", kind)
	case kind == imv1.MessageType_MESSAGE_TYPE_SYSTEM, kind == imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM,
		kind == imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM:
		return refuse(codes.PermissionDenied, "only the server sends %s", kind)
	case request.GetRoomId() == "":
		return refuse(codes.InvalidArgument, "room_id is empty: name the room that the message is for")
	default:
		return nil
	}
}

// isControl tells whether a type is the protocol's own: ACK, HEARTBEAT, 16 to 63.
func isControl(kind imv1.MessageType) bool {
	return kind == imv1.MessageType_MESSAGE_TYPE_ACK || kind == imv1.MessageType_MESSAGE_TYPE_HEARTBEAT ||
		kind >= 16 && kind <= 63
}

// roomOfSender gives the room that a stream sends to. A client of today, which never had to join, is put into it.
func (s *Server) roomOfSender(st *stream, roomID string) (*room, error) {
	if r := st.in(roomID); r != nil {
		return r, nil
	}
	if st.contract.known {
		if _, err := s.existing(roomID); err != nil {
			return nil, err
		}
		return nil, refuse(codes.FailedPrecondition, "this session is not in room %q: join it first", roomID)
	}
	if err := s.join(st.ctx, st, joining{roomID: roomID}, func(*room) *imv1.MessageResponse { return nil }); err != nil {
		return nil, err
	}
	if r := st.in(roomID); r != nil {
		return r, nil
	}
	return nil, unknownRoom(roomID)
}

// take decides a message of a user: repeat, hook, log. An error that isUndecided is none: the log cannot be reached.
func (s *Server) take(ctx context.Context, r *room, st *stream, request *imv1.MessageRequest) (*runtime.Receipt, error) {
	if request.GetMessageId() == "" {
		request.MessageId = newMessageID()
	}
	sub := &submission{
		request: request, room: r, stream: st,
		hash: hashOf(request.GetType(), request.GetContent(), request.GetMetadata(), request.GetAckRequired()),
	}
	if receipt, err := sub.judge(ctx); receipt != nil || err != nil {
		return s.counted(receipt), err
	}
	forReaders, err := s.runHook(ctx, sub)
	if err != nil {
		return nil, err
	}
	if !forReaders {
		return &runtime.Receipt{MessageID: request.GetMessageId(), RoomID: r.id, Time: time.Now()}, nil
	}
	message := sub.message()
	if err := s.checkOutgoing(message); err != nil {
		return nil, err
	}
	receipt, err := sub.append(ctx, message)
	return s.counted(receipt), err
}

// placeBytes is what a message's place in the log adds to it at most: seq, prev_seq, epoch and time.
const placeBytes = 64

// checkOutgoing refuses what would end the streams of all readers: a message that they do not receive, or one that
// cannot be encoded.
func (s *Server) checkOutgoing(message *imv1.MessageResponse) error {
	if size := proto.Size(message) + placeBytes; size > s.config.maxMessage {
		return tooLarge(size, s.config.maxMessage)
	}
	return checkText(message)
}

// checkText finds text that is not UTF-8. What clients send has been decoded and has none; what the operator's functions
// write may.
func checkText(message *imv1.MessageResponse) error {
	valid := utf8.ValidString(message.GetMessageId()) && utf8.ValidString(message.GetFromUserId())
	for key, value := range message.GetMetadata() {
		valid = valid && utf8.ValidString(key) && utf8.ValidString(value)
	}
	if !valid {
		return refuse(codes.InvalidArgument, "an id or the metadata is not UTF-8")
	}
	return nil
}

func tooLarge(size, limit int) error {
	return refuse(codes.ResourceExhausted, "the message has %d bytes with its envelope, this server takes %d", size, limit)
}

func (s *Server) counted(receipt *runtime.Receipt) *runtime.Receipt {
	if receipt != nil && receipt.Duplicate {
		s.counts.duplicates.Add(1)
	}
	return receipt
}

// judge tells, before the hook is asked, what is decided already: a repeat, or what the room does not allow. Whether the log is
// another one, only the log itself knows for sure.
// Neither a receipt nor an error: nothing is.
func (sub *submission) judge(ctx context.Context) (*runtime.Receipt, error) {
	r, request := sub.room, sub.request
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	place, found, err := r.srv.config.engine.Find(ctx, r.id, sub.key(), sub.hash)
	switch {
	case err != nil:
		return nil, sub.failed(err)
	case found:
		place.Duplicate = true
		return sub.receipt(place), nil
	case sub.fromBackend:
		return nil, nil //nolint:nilnil // not decided yet
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return nil, unknownRoom(r.id)
	}
	return nil, r.may(request.GetUserId(), request.GetType())
}

// append puts the message into the log. The same send may have come on another stream while the hook ran: the log knows.
func (sub *submission) append(ctx context.Context, message *imv1.MessageResponse) (*runtime.Receipt, error) {
	r := sub.room
	m := roomlog.Message{Key: sub.key(), Hash: sub.hash, Epoch: sub.request.GetEpoch()}
	if sub.stream != nil {
		m.Session, m.SendNumber = sub.stream.origin, sub.request.GetSendNumber()
	}
	if sabotage.ReceiptBeforeAppend && sub.hash[0] < 16 {
		return sub.receipt(roomlog.Place{Epoch: r.epoch(), Seq: 1, Time: time.Now()}), nil
	}
	ctx, cancel := beyond(ctx)
	defer cancel()
	place, err := r.srv.appendTo(ctx, r.id, m, message)
	if err != nil {
		return nil, sub.failed(err)
	}
	if !place.Duplicate {
		r.said(place.Time)
	}
	return sub.receipt(place), nil
}

// failed is what an engine's error is to the sender.
func (sub *submission) failed(err error) error {
	if refused := logError(err, sub.room.id, sub.request.GetMessageId()); refused != nil {
		return refused
	}
	return undecided{err}
}

// undecided is an error of the log's engine itself: nobody knows whether the message was appended.
type undecided struct{ err error }

func (e undecided) Error() string {
	return "the room's log cannot be reached for now: " + e.err.Error()
}

func (e undecided) Unwrap() error { return e.err }

// GRPCStatus is what a unary caller gets: the same call under the same id tells.
func (e undecided) GRPCStatus() *status.Status { return status.New(codes.Unavailable, e.Error()) }

// key is user and message id. A client of today is never told of a refusal, and its ids may start from 1 again: for it the
// payload is part of the key, so that nothing of it is refused as another message under the same id.
func (sub *submission) key() string {
	key := sendKey(sub.request.GetUserId(), sub.request.GetMessageId())
	if sub.stream != nil && !sub.stream.contract.known {
		key += string(sub.hash[:])
	}
	return key
}

// message is what the readers get; append adds its place in the log.
func (sub *submission) message() *imv1.MessageResponse {
	request := sub.request
	message := &imv1.MessageResponse{
		MessageId: request.GetMessageId(), FromUserId: request.GetUserId(), RoomId: sub.room.id,
		Type: request.GetType(), Content: request.GetContent(), Metadata: request.GetMetadata(),
		AckRequired: request.GetAckRequired(),
	}
	if sub.stream != nil {
		message.SessionId = sub.stream.wireSession
	}
	return message
}

// receipt tells where a message stands.
func (sub *submission) receipt(place roomlog.Place) *runtime.Receipt {
	return &runtime.Receipt{
		MessageID: sub.request.GetMessageId(), RoomID: sub.room.id, Appended: true, Seq: place.Seq, Epoch: place.Epoch,
		Time: place.Time, Duplicate: place.Duplicate,
	}
}
