package server

import (
	"context"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// SendMessage sends a message for a caller without a stream: the caller needs a user and a room that exists, but need not be
// in the room; the join hook is then asked whether it might be. With a message_id it is idempotent. Kind, hook and room are
// asked as for a message on a stream.
func (s *Server) SendMessage(ctx context.Context, request *imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
	s.serve()
	response, err := s.sendUnary(ctx, request)
	if err != nil {
		s.counts.refused.Add(1)
	}
	return response, err
}

func (s *Server) sendUnary(ctx context.Context, request *imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
	if err := s.rules.send.Check(request); err != nil {
		return nil, err
	}
	if s.streams.isClosed() {
		return nil, errClosing
	}
	user, err := s.mustHaveUser(ctx, request.GetUserId())
	if err != nil {
		return nil, err
	}
	message := &imv1.MessageRequest{
		MessageId: request.GetMessageId(), UserId: user, RoomId: request.GetRoomId(), Type: request.GetType(),
		Content: request.GetContent(), Metadata: request.GetMetadata(), AckRequired: request.GetAckRequired(),
	}
	if err := checkSendable(message); err != nil {
		return nil, err
	}
	r, err := s.existing(request.GetRoomId())
	if err != nil {
		return nil, err
	}
	if err := s.mayWrite(ctx, r, user); err != nil {
		return nil, err
	}
	receipt, err := s.take(ctx, r, nil, message)
	if err != nil {
		return nil, asStatus(err, codes.Unknown)
	}
	return &imv1.SendMessageResponse{
		MessageId: receipt.MessageID, Timestamp: timestamppb.New(receipt.Time), Status: responseStatus(nil),
		Seq: receipt.Seq, Epoch: receipt.Epoch, Duplicate: receipt.Duplicate,
	}, nil
}

// mayWrite asks the join hook about a user who is not in the room: who may not join may not write either.
func (s *Server) mayWrite(ctx context.Context, r *room, user string) error {
	r.mu.Lock()
	member := r.members[user] != nil
	r.mu.Unlock()
	if member || s.config.joinHook == nil {
		return nil
	}
	admitted, err := s.admit(ctx, user, r.id, nil)
	if err == nil && admitted.join.Muted {
		return muted(user, r.id)
	}
	return err
}
