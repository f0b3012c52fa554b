package today

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// maxQueue bounds what waits for one slow client; a client behind it is cut off.
const maxQueue = 10_000

// stream is one client's stream whose user is known.
type stream struct {
	user string
	out  chan *imv1.MessageResponse
	end  context.CancelCauseFunc
}

func (t *stream) queue(message *imv1.MessageResponse) {
	select {
	case t.out <- message:
	default:
		t.end(status.Error(codes.ResourceExhausted, "the client reads too slowly"))
	}
}

type imStream = grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]

// StreamMessages serves one client until it leaves.
func (s *Server) StreamMessages(grpcStream imStream) error {
	s.mu.Lock()
	s.opened++
	s.mu.Unlock()

	var user, roomID string
	var first *imv1.MessageRequest
	if md, _ := metadata.FromIncomingContext(grpcStream.Context()); !s.options.FirstMessageOnly {
		user, roomID = one(md, "user-id"), one(md, "room-id")
	}
	if user == "" {
		var err error
		if first, err = grpcStream.Recv(); err != nil {
			return nilAtEOF(err)
		}
		user, roomID = first.GetUserId(), first.GetRoomId()
		if user == "" {
			s.addf("server: the first message has no user_id")
			return status.Error(codes.InvalidArgument, "user_id is required")
		}
	}

	ctx, end := context.WithCancelCause(grpcStream.Context())
	defer end(nil)
	t := &stream{user: user, out: make(chan *imv1.MessageResponse, maxQueue), end: end}
	s.enter(t, roomID)
	defer s.exit(t)
	go func() { end(s.read(grpcStream, t, first)) }()
	return s.write(ctx, grpcStream, t)
}

// write sends header and messages until the reader, or somebody else, ends the stream. Returning ends the reader.
func (s *Server) write(ctx context.Context, grpcStream imStream, t *stream) error {
	if s.options.Header == HeaderLate {
		select {
		case <-time.After(lateBy):
		case <-ctx.Done():
		}
	}
	if s.options.Header != HeaderNever {
		if err := grpcStream.SendHeader(metadata.Pairs("x-service-version", "v1.2.0")); err != nil {
			return err
		}
	}
	for {
		select {
		case message := <-t.out:
			if err := grpcStream.Send(message); err != nil {
				return err
			}
		case <-ctx.Done():
			return nilAtEOF(context.Cause(ctx))
		}
	}
}

func (s *Server) read(grpcStream imStream, t *stream, first *imv1.MessageRequest) error {
	if first != nil {
		s.take(t, first)
	}
	for {
		message, err := grpcStream.Recv()
		if err != nil {
			return err
		}
		s.take(t, message)
	}
}

// take does what a deployed server does with one message.
func (s *Server) take(t *stream, message *imv1.MessageRequest) {
	s.check(t, message)
	s.mu.Lock()
	s.received = append(s.received, proto.CloneOf(message))
	s.mu.Unlock()
	switch message.GetType() {
	case imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		if s.options.AnswerHeartbeats {
			t.queue(&imv1.MessageResponse{
				Type: imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, Content: []byte("pong"), Timestamp: timestamppb.Now(),
			})
		}
	case imv1.MessageType_MESSAGE_TYPE_ACK:
	default:
		if message.GetRoomId() == "" {
			return
		}
		s.join(t.user, message.GetRoomId(), nil)
		s.fanOut(s.said(t.user, message), s.notTo(t.user))
	}
}

// check writes down what no deployed client does.
func (s *Server) check(t *stream, message *imv1.MessageRequest) {
	who, id, kind := "server, from "+t.user, message.GetMessageId(), message.GetType()
	s.checkType(who, id, kind)
	s.checkContent(who, id, kind, message.GetContent())
	if user := message.GetUserId(); user != t.user {
		s.addf("%s: %s %q has the user_id %q", who, kind, id, user)
	}
	switch kind {
	case imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		if string(message.GetContent()) != "ping" {
			s.addf("%s: a HEARTBEAT says %q instead of ping", who, message.GetContent())
		}
	case imv1.MessageType_MESSAGE_TYPE_ACK:
		s.checkAck(who, message.GetContent())
	default:
		if message.GetRoomId() == "" {
			s.addf("%s: %s %q has no room_id", who, kind, id)
		}
		if id != "" && !s.firstTime(t.user, id) {
			s.addf("%s: %s %q came twice", who, kind, id)
		}
	}
}

func (s *Server) checkAck(who string, content []byte) {
	var ack Ack
	if json.Unmarshal(content, &ack) != nil {
		return // checkContent has told
	}
	s.mu.Lock()
	_, asked := s.asked[ack.OriginalMessageID]
	s.mu.Unlock()
	if !asked {
		s.addf("%s: an ACK of %q, which nobody asked for", who, ack.OriginalMessageID)
	}
}

func (s *Server) firstTime(user, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := user + "\x00" + id
	_, seen := s.seen[key]
	s.seen[key] = struct{}{}
	return !seen
}

func one(md metadata.MD, key string) string {
	if values := md.Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func nilAtEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
