package server

import (
	"context"
	"time"
	"unicode/utf8"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// submission is one message on its way into a room.
type submission struct {
	request *imv1.MessageRequest // checked; user_id is the sender
	hash    payloadHash          // of what the sender sent
	asks    bool                 // for ACKs, before the hook
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
	if err := s.join(st.ctx, st, roomID, nil, func(*room) *imv1.MessageResponse { return nil }); err != nil {
		return nil, err
	}
	if r := st.in(roomID); r != nil {
		return r, nil
	}
	return nil, unknownRoom(roomID)
}

// take decides a message of a user: repeat, hook, log.
func (s *Server) take(ctx context.Context, r *room, st *stream, request *imv1.MessageRequest) (*runtime.Receipt, error) {
	if request.GetMessageId() == "" {
		request.MessageId = newMessageID()
	}
	sub := &submission{
		request: request, room: r, stream: st, asks: request.GetAckRequired(),
		hash: hashOf(request.GetType(), request.GetContent(), request.GetMetadata(), request.GetAckRequired()),
	}
	if receipt, err := sub.judge(); receipt != nil || err != nil {
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
	receipt, err := sub.append(message)
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

// judge tells, before the hook is asked, what is decided already: a repeat, another log, what the room does not allow.
// Neither a receipt nor an error: nothing is.
func (sub *submission) judge() (*runtime.Receipt, error) {
	sub.room.mu.Lock()
	defer sub.room.mu.Unlock()
	return sub.judgeLocked()
}

func (sub *submission) judgeLocked() (*runtime.Receipt, error) {
	r := sub.room
	if r.gone {
		return nil, unknownRoom(r.id)
	}
	if epoch := sub.request.GetEpoch(); epoch != 0 && epoch != r.log.epoch {
		return nil, refuse(codes.DataLoss,
			"the log of room %q is not the one that this message was first sent to: it may have been delivered there", r.id)
	}
	if earlier := r.log.find(sub.key()); earlier != nil {
		if earlier.hash != sub.hash {
			return nil, refuse(codes.AlreadyExists,
				"message id %q was used before for another message: give each message an id of its own", earlier.key.messageID)
		}
		return r.receipt(earlier, true), nil
	}
	if !sub.fromBackend {
		return nil, r.may(sub.request.GetUserId(), sub.request.GetType())
	}
	return nil, nil //nolint:nilnil // not decided yet
}

// append puts the message into the log and the readers' queues. The same send may have come on another stream while the
// hook ran, so it is judged again.
func (sub *submission) append(message *imv1.MessageResponse) (*runtime.Receipt, error) {
	r := sub.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if receipt, err := sub.judgeLocked(); receipt != nil || err != nil {
		return receipt, err
	}
	e := &entry{key: sub.key(), hash: sub.hash, wantsAck: message.GetAckRequired(), bySender: sub.asks}
	if sub.stream != nil {
		e.sender = sub.stream.key
	}
	r.append(e, message, sub.skips)
	r.messages++
	r.lastActive = e.time
	return r.receipt(e, false), nil
}

// key is user and message id. A client of today is never told of a refusal, and its ids may start from 1 again: for it the
// payload is part of the key, so that nothing of it is refused as another message under the same id.
func (sub *submission) key() sendKey {
	key := sendKey{user: sub.request.GetUserId(), messageID: sub.request.GetMessageId()}
	if sub.stream != nil && !sub.stream.contract.known {
		key.payload = sub.hash
	}
	return key
}

// skips tells which reader gets no copy: the stream that sent the message.
func (sub *submission) skips(reader *stream) bool {
	if reader != sub.stream {
		return false
	}
	return reader.contract.known || !sub.room.srv.config.echoToday
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

// receipt tells of an entry. mu is held.
func (r *room) receipt(e *entry, duplicate bool) *runtime.Receipt {
	return &runtime.Receipt{
		MessageID: e.key.messageID, RoomID: r.id, Appended: true, Seq: e.seq, Epoch: r.log.epoch,
		Time: e.time, Duplicate: duplicate,
	}
}
