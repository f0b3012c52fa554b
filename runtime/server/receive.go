package server

import (
	"log/slog"

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

// answerSend takes a message and, if that is agreed, tells what became of it.
func (st *stream) answerSend(request *imv1.MessageRequest) {
	err := st.checkEnvelope(request)
	var receipt *runtime.Receipt
	if err == nil {
		receipt, err = st.srv.takeFromStream(st, request)
	}
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
	st.putControl(imv1.MessageType_MESSAGE_TYPE_RECEIPT, &imv1.MessageResponse{},
		&imsdkv1.Receipts{Receipts: []*imsdkv1.Receipt{told}})
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
