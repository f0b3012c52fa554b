package imtest

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// faults are what a server does wrong on purpose, on the streams of clients that know the handshake. They stand between
// the server and gRPC: the server itself is the real one.
type faults struct {
	mu      sync.Mutex // guards what follows
	lose    int        // receipts that are still to be lost
	repeat  bool
	overlap uint64
}

// LoseReceipts makes the next n frames of receipts get lost, each with one receipt or several: what was taken is in the room's
// log, the stream breaks, and its sender is not told. The sender sends it again on its next stream, and nothing must
// appear twice.
func (s *Server) LoseReceipts(n int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.lose = n
}

// RepeatReceipts sends every receipt twice from now on, or no longer.
func (s *Server) RepeatReceipts(on bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.repeat = on
}

// OverlapReplays makes the server send again, at each start of a stream and each join, up to n messages that the reader has had
// already. 0 ends it.
func (s *Server) OverlapReplays(n int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.overlap = uint64(max(n, 0))
}

// ForgetLog loses the log of a room, as a server without a lasting log does when it crashes. Readers are told of a gap. It is
// for servers with the log that imtest gives them; one that was given by server.WithLog does not lose anything.
func (s *Server) ForgetLog(roomID string) {
	s.mu.Lock()
	r := s.running
	s.mu.Unlock()
	if r != nil {
		r.log.Forget(roomID)
	}
}

var errLost = status.Error(codes.Unavailable, "imtest: the receipt is lost")

// intercept is a gRPC interceptor of the server's streams.
func (f *faults) intercept(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(f.overlapHello(stream.Context()))
	defer cancel(nil)
	err := handler(srv, &faultyStream{ServerStream: stream, faults: f, ctx: ctx, cancel: cancel})
	if context.Cause(ctx) == errLost { //nolint:errorlint // it is that very error
		return errLost
	}
	return err
}

// overlapHello moves the cursors of a stream's Hello back.
func (f *faults) overlapHello(ctx context.Context) context.Context {
	const key = "imsdk-hello-bin"
	md, _ := metadata.FromIncomingContext(ctx)
	hello := &imsdkv1.Hello{}
	if len(md.Get(key)) == 0 || proto.Unmarshal([]byte(md.Get(key)[0]), hello) != nil {
		return ctx
	}
	for _, room := range hello.GetRooms() {
		f.moveBack(room.GetCursor())
	}
	raw, err := proto.Marshal(hello)
	if err != nil {
		return ctx
	}
	md = md.Copy()
	md.Set(key, string(raw))
	return metadata.NewIncomingContext(ctx, md)
}

func (f *faults) moveBack(cursor *imsdkv1.Cursor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if cursor.GetEpoch() != 0 {
		cursor.Seq -= min(cursor.GetSeq(), f.overlap)
	}
}

// faultyStream is a stream whose messages pass the faults.
type faultyStream struct {
	grpc.ServerStream

	faults *faults
	ctx    context.Context //nolint:containedctx // what the server sees as the stream's context
	cancel context.CancelCauseFunc
}

// Context is the stream's, with what the faults changed.
func (s *faultyStream) Context() context.Context { return s.ctx }

// SendMsg sends a message, or breaks the stream, or sends it twice.
func (s *faultyStream) SendMsg(m any) error {
	message, ok := m.(*imv1.MessageResponse)
	if !ok || message.GetType() != imv1.MessageType_MESSAGE_TYPE_RECEIPT {
		return s.ServerStream.SendMsg(m)
	}
	lost, twice := s.faults.receipt()
	if lost {
		s.cancel(errLost)
		return errLost
	}
	if twice {
		if err := s.ServerStream.SendMsg(m); err != nil {
			return err
		}
	}
	return s.ServerStream.SendMsg(m)
}

// receipt tells what becomes of one.
func (f *faults) receipt() (lost, twice bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lose > 0 {
		f.lose--
		return true, false
	}
	return false, f.repeat
}

// RecvMsg receives a message; the cursor of a JOIN is moved back.
func (s *faultyStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	message, ok := m.(*imv1.MessageRequest)
	if !ok || message.GetType() != imv1.MessageType_MESSAGE_TYPE_JOIN {
		return nil
	}
	content := &imsdkv1.Join{}
	if proto.Unmarshal(message.GetContent(), content) == nil && content.GetCursor() != nil {
		s.faults.moveBack(content.GetCursor())
		if raw, err := proto.Marshal(content); err == nil {
			message.Content = raw
		}
	}
	return nil
}
