package server

import (
	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// answerJoin answers JOIN with JOINED.
func (st *stream) answerJoin(request *imv1.MessageRequest) {
	if !st.contract.rooms {
		st.answerSend(request) // refused: not agreed on
		return
	}
	err := st.checkEnvelope(request)
	content := &imsdkv1.Join{}
	if err == nil && proto.Unmarshal(request.GetContent(), content) != nil {
		err = refuse(codes.InvalidArgument, "the content of the JOIN does not parse")
	}
	if err == nil {
		wish := joining{roomID: request.GetRoomId(), metadata: request.GetMetadata(), from: content.GetCursor()}
		err = st.srv.join(st.ctx, st, wish, func(r *room) *imv1.MessageResponse {
			envelope := &imv1.MessageResponse{
				MessageId: request.GetMessageId(), RoomId: r.id, Epoch: r.tail.epoch, Seq: r.headFor(content.GetCursor()),
			}
			message, err := controlFrame(imv1.MessageType_MESSAGE_TYPE_JOINED, envelope, r.joinResponse())
			if err != nil { // names and ids are valid UTF-8, so this encodes
				st.end(refuse(codes.Internal, "JOINED cannot be encoded: %v", err))
			}
			return message
		})
	}
	if err != nil {
		st.noteRefusal(request, err)
		st.putControl(imv1.MessageType_MESSAGE_TYPE_JOINED,
			&imv1.MessageResponse{MessageId: request.GetMessageId(), RoomId: request.GetRoomId()},
			&imv1.JoinRoomResponse{Status: responseStatus(err)})
	}
}

// answerLeave answers LEAVE with LEFT. A room that the stream is not in is left already.
func (st *stream) answerLeave(request *imv1.MessageRequest) {
	if !st.contract.rooms {
		st.answerSend(request) // refused: not agreed on
		return
	}
	err := st.checkEnvelope(request)
	if err == nil && request.GetRoomId() == "" {
		err = refuse(codes.InvalidArgument, "room_id is empty: name the room to leave")
	}
	if err != nil {
		st.noteRefusal(request, err)
	} else if r := st.in(request.GetRoomId()); r != nil {
		st.srv.leave(st, r, reasonLeft)
	}
	st.putControl(imv1.MessageType_MESSAGE_TYPE_LEFT,
		&imv1.MessageResponse{MessageId: request.GetMessageId(), RoomId: request.GetRoomId()},
		&imv1.LeaveRoomResponse{Status: responseStatus(err)})
}

// joinResponse is the room as somebody who has just joined sees it. mu is held.
func (r *room) joinResponse() *imv1.JoinRoomResponse {
	return &imv1.JoinRoomResponse{Status: responseStatus(nil), RoomInfo: r.info(), OnlineUsers: r.users()}
}

// responseStatus is an outcome inside an answer; code 0 is success.
func responseStatus(err error) *imv1.ResponseStatus {
	if err == nil {
		return &imv1.ResponseStatus{Message: "OK"}
	}
	st := status.Convert(err)
	return &imv1.ResponseStatus{Code: int32(st.Code()), Message: st.Message()}
}
