package server

import (
	"bytes"
	"context"
	"maps"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Publish appends a message of the backend to a room and hands it to everybody in it. No hook sees it, and it need not be
// in anybody's name. With an id of its own it is idempotent: a repeat gets the first receipt, marked as a duplicate, and
// the same id with another payload is ALREADY_EXISTS. A room that does not exist is NOT_FOUND, an invalid content
// INVALID_ARGUMENT. The error is a *runtime.Error.
func (s *Server) Publish(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	s.serve()
	receipt, err := s.publish(ctx, out)
	if err == nil {
		return receipt, nil
	}
	failed := &runtime.Error{Op: "publish", RoomID: out.RoomID, MessageID: out.ID, Violations: runtime.Violations(err)}
	if out.Kind != nil {
		failed.Kind = out.Kind.Name
	}
	st := status.Convert(err)
	failed.Code, failed.Message = st.Code(), refusalOf(err).GetMessage()
	return nil, failed
}

func (s *Server) publish(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, asStatus(err, codes.Canceled)
	}
	if s.streams.isClosed() {
		return nil, errClosing
	}
	request, err := s.publishedRequest(out)
	if err != nil {
		return nil, err
	}
	r, err := s.existing(out.RoomID)
	if err != nil {
		return nil, err
	}
	sub := &submission{
		request: request, room: r, fromBackend: true,
		hash: hashOf(request.GetType(), request.GetContent(), request.GetMetadata(), request.GetAckRequired()),
	}
	message := sub.message()
	if err := s.checkOutgoing(message); err != nil {
		return nil, err
	}
	receipt, err := sub.append(ctx, message)
	return s.counted(receipt), err
}

// publishedRequest is an outgoing message as if a client had sent it.
func (s *Server) publishedRequest(out *runtime.Outgoing) (*imv1.MessageRequest, error) {
	if out.Kind != nil && out.Kind.Direction == runtime.DirectionClient {
		return nil, refuse(codes.InvalidArgument, "only clients send %s", out.Kind)
	}
	raw, err := out.Encode()
	if err != nil {
		return nil, err
	}
	if out.Kind == nil {
		raw = bytes.Clone(raw) // the caller's again once Publish has returned; the readers' queues are not empty then
	}
	request := &imv1.MessageRequest{
		MessageId: out.ID, UserId: out.From, RoomId: out.RoomID, Type: imv1.MessageType(out.Type),
		Content: raw, Metadata: maps.Clone(out.Metadata), AckRequired: out.AckRequired,
	}
	if request.GetMessageId() == "" {
		request.MessageId = newMessageID()
	}
	if kind := request.GetType(); kind <= 0 || isControl(kind) {
		return nil, refuse(codes.InvalidArgument, "type %d is no kind of message", out.Type)
	}
	return request, s.rules.envelope.Check(request)
}
