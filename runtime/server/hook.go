package server

import (
	"context"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// runHook decodes and validates a message of a registered kind and asks its hook, which may refuse it or change content,
// metadata and AckRequired; what else it changes is ignored. forReaders is false for kinds that the server keeps for
// itself. Content that the hook leaves alone, and that of kinds that nobody registered, travels as the sender's bytes.
func (s *Server) runHook(ctx context.Context, sub *submission) (forReaders bool, err error) {
	request := sub.request
	in := incomingOf(request)
	s.router.Decode(in)
	switch {
	case in.Kind == nil:
		return true, nil
	case in.Kind.Direction == runtime.DirectionServer:
		return false, refuse(codes.PermissionDenied, "only the server sends %s", in.Kind)
	case in.Err != nil:
		s.tellInvalid(ctx, in)
		return false, in.Err
	case !s.router.Handled(in.Type):
		return in.Kind.Direction != runtime.DirectionClient, nil
	}
	before := proto.Clone(in.Content)
	if err := s.callHook(ctx, in); err != nil {
		return false, err
	}
	if !proto.Equal(before, in.Content) {
		if request.Content, err = encodeChanged(in); err != nil {
			return false, err
		}
	}
	if len(in.Metadata) > maxMetadata {
		return false, refuse(codes.Internal, "the server's hook for %s left %d metadata entries, %d are allowed",
			in.Kind.Name, len(in.Metadata), maxMetadata)
	}
	request.Metadata, request.AckRequired = in.Metadata, in.AckRequired
	return in.Kind.Direction != runtime.DirectionClient, nil
}

const maxMetadata = 64

func incomingOf(request *imv1.MessageRequest) *runtime.Incoming {
	in := &runtime.Incoming{
		Envelope: runtime.Envelope{
			ID: request.GetMessageId(), RoomID: request.GetRoomId(), From: request.GetUserId(),
			Metadata: request.GetMetadata(), AckRequired: request.GetAckRequired(), Raw: request.GetContent(),
		},
		Type: int32(request.GetType()),
	}
	if request.GetTimestamp().IsValid() {
		in.Time = request.GetTimestamp().AsTime()
	} else {
		in.Time = time.Time{}
	}
	return in
}

func (s *Server) callHook(ctx context.Context, in *runtime.Incoming) error {
	var err error
	if panicked := s.guard("hook for "+in.Kind.Name, func() { _, err = s.router.Handle(ctx, in) }); panicked != nil {
		return panicked
	}
	if err != nil {
		return asStatus(err, codes.PermissionDenied)
	}
	return nil
}

// tellInvalid lets the package's OnInvalid see what is refused. It changes nothing about the refusal.
func (s *Server) tellInvalid(ctx context.Context, in *runtime.Incoming) {
	if err := s.callHook(ctx, in); err != nil {
		s.log.Debug("invalid content", "kind", in.Kind.Name, "error", err)
	}
}

// encodeChanged encodes what a hook made of a content. What it made has to obey the rules too.
func encodeChanged(in *runtime.Incoming) ([]byte, error) {
	err := in.Kind.Check(in.Content)
	if err == nil {
		var raw []byte
		if raw, err = in.Kind.Encode(in.Content); err == nil {
			return raw, nil
		}
	}
	return nil, refuse(codes.Internal, "the server's hook for %s made an invalid content: %v", in.Kind.Name, err)
}
