package server

import (
	"errors"
	"log/slog"
	"maps"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// handle does what one envelope asks for. What is wrong with it concerns this envelope only, never the stream.
func (st *stream) handle(request *imv1.MessageRequest) {
	st.srv.counts.received.Add(1)
	switch request.GetType() {
	case imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		st.answerHeartbeat(request)
	case imv1.MessageType_MESSAGE_TYPE_ACK:
		if err := st.srv.acknowledge(st, request); err != nil {
			st.noteRefusal(request, err)
		}
	case imv1.MessageType_MESSAGE_TYPE_JOIN:
		st.answerJoin(request)
	case imv1.MessageType_MESSAGE_TYPE_LEAVE:
		st.answerLeave(request)
	case imv1.MessageType_MESSAGE_TYPE_CURSOR:
		if err := st.answerCursor(request); err != nil {
			st.noteRefusal(request, err)
		}
	default:
		st.answerSend(request)
	}
}

func (st *stream) answerHeartbeat(request *imv1.MessageRequest) {
	if err := st.checkEnvelope(request); err != nil {
		st.noteRefusal(request, err)
		return
	}
	st.put(newFrame(&imv1.MessageResponse{
		MessageId: request.GetMessageId(), RoomId: request.GetRoomId(),
		Type: imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, Content: []byte("pong"), Timestamp: timestamppb.Now(),
	}))
}

func (st *stream) answerCursor(request *imv1.MessageRequest) error {
	if !st.contract.resume {
		return refuse(codes.InvalidArgument, "a CURSOR was not agreed on here")
	}
	if err := st.checkEnvelope(request); err != nil {
		return err
	}
	return st.takeCursors(request)
}

// answerSend takes a message and, if that is agreed, tells what became of it. Where the log cannot be reached nothing is
// decided: the stream ends, and the client sends again.
func (st *stream) answerSend(request *imv1.MessageRequest) {
	err := st.checkEnvelope(request)
	if err == nil {
		err = st.checkOrder(request)
	}
	var receipt *runtime.Receipt
	if err == nil {
		receipt, err = st.srv.takeFromStream(st, request)
	}
	if unknown, ok := errors.AsType[undecided](err); ok {
		st.logFailed(request.GetRoomId(), unknown.err)
		return
	}
	st.decide(request)
	if err != nil {
		st.noteRefusal(request, err)
	}
	if st.contract.receipts {
		st.putReceipt(request, receipt, err)
	}
}

func (st *stream) putReceipt(request *imv1.MessageRequest, receipt *runtime.Receipt, err error) {
	told := &imsdkv1.Receipt{
		MessageId: request.GetMessageId(), RoomId: request.GetRoomId(), SendNumber: request.GetSendNumber(),
	}
	if err != nil {
		told.Refusal = refusalOf(err)
	} else {
		told.MessageId = receipt.MessageID
		told.Epoch, told.Seq, told.Duplicate = receipt.Epoch, receipt.Seq, receipt.Duplicate
		told.Time = timestamppb.New(receipt.Time)
	}
	if st.ctx.Err() == nil && !st.out.putReceipt(told) {
		st.endSlow()
	}
}

// checkOrder refuses a send whose predecessor in the room this stream has not decided.
func (st *stream) checkOrder(request *imv1.MessageRequest) error {
	if before := request.GetPrevSendNumber(); before > st.decided[request.GetRoomId()] {
		return refuse(codes.Aborted, "send %d of room %q has not come on this stream: send it before send %d",
			before, request.GetRoomId(), request.GetSendNumber())
	}
	return nil
}

// decide notes that a send is decided. Rooms that the stream has left are forgotten when they are many.
func (st *stream) decide(request *imv1.MessageRequest) {
	number, roomID := request.GetSendNumber(), request.GetRoomId()
	if number <= st.decided[roomID] {
		return
	}
	st.decided[roomID] = number
	if len(st.decided) > 2*st.srv.config.maxRooms {
		maps.DeleteFunc(st.decided, func(id string, _ uint64) bool { return id != roomID && st.in(id) == nil })
	}
}

// putControl queues a control frame.
func (st *stream) putControl(kind imv1.MessageType, envelope *imv1.MessageResponse, content proto.Message) {
	message, err := controlFrame(kind, envelope, content)
	if err != nil {
		st.end(refuse(codes.Internal, "a %s cannot be encoded: %v", kind, err))
		return
	}
	st.put(newFrame(message))
}

func controlFrame(kind imv1.MessageType, envelope *imv1.MessageResponse, content proto.Message) (*imv1.MessageResponse, error) {
	raw, err := proto.Marshal(content)
	if err != nil {
		return nil, err
	}
	envelope.Type, envelope.Content = kind, raw
	return envelope, nil
}

// checkEnvelope bounds an envelope, refuses another user's and fills in an empty one's.
func (st *stream) checkEnvelope(request *imv1.MessageRequest) error {
	if err := st.srv.rules.envelope.Check(request); err != nil {
		return err
	}
	if request.GetUserId() != "" && request.GetUserId() != st.key.user {
		return otherUser("user_id", request.GetUserId(), st.key.user)
	}
	request.UserId = st.key.user
	return nil
}

func (st *stream) noteRefusal(request *imv1.MessageRequest, err error) {
	st.srv.counts.refused.Add(1)
	st.srv.log.Debug("refused", slog.String("user", st.key.user), slog.Any("type", request.GetType()),
		slog.String("room", request.GetRoomId()), slog.Any("error", err))
}
