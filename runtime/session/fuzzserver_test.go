package session_test

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// fuzzServer is a client whose server is the test, without a network. Its streams have the header that it is given. It
// joins whoever asks to join to any room but "asked", and answers no LEAVE.
type fuzzServer struct {
	imv1.IMServiceClient // none: what a session is not expected to call

	header  metadata.MD
	streams chan *fuzzStream // the first one
}

func (s *fuzzServer) JoinRoom(context.Context, *imv1.JoinRoomRequest, ...grpc.CallOption) (*imv1.JoinRoomResponse, error) {
	return new(imv1.JoinRoomResponse), nil
}

func (s *fuzzServer) LeaveRoom(context.Context, *imv1.LeaveRoomRequest, ...grpc.CallOption) (*imv1.LeaveRoomResponse, error) {
	return new(imv1.LeaveRoomResponse), nil
}

func (s *fuzzServer) StreamMessages(
	ctx context.Context, _ ...grpc.CallOption,
) (grpc.BidiStreamingClient[imv1.MessageRequest, imv1.MessageResponse], error) {
	st := &fuzzStream{
		ctx: ctx, header: s.header, out: make(chan *imv1.MessageResponse), closed: make(chan struct{}),
		asked: make(chan *imv1.MessageRequest, 64),
	}
	select {
	case s.streams <- st:
	default:
	}
	return st, nil
}

// fuzzStream is a stream as the session sees it.
type fuzzStream struct {
	grpc.ClientStream // none

	ctx    context.Context //nolint:containedctx // the call's
	header metadata.MD
	out    chan *imv1.MessageResponse
	asked  chan *imv1.MessageRequest // what the test is to answer
	once   sync.Once
	closed chan struct{} // by the session
}

func (st *fuzzStream) Header() (metadata.MD, error) { return st.header, nil }

func (st *fuzzStream) CloseSend() error {
	st.once.Do(func() { close(st.closed) })
	return nil
}

func (st *fuzzStream) Send(m *imv1.MessageRequest) error {
	if _, err := proto.Marshal(m); err != nil {
		return err
	}
	switch {
	case m.GetType() == joinType && m.GetRoomId() != "asked":
		go st.put(&imv1.MessageResponse{MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), Type: joinedType, Epoch: 7, Seq: 10})
	case m.GetType() != heartbeatType && m.GetType() != ackType && m.GetType() != imv1.MessageType_MESSAGE_TYPE_CURSOR:
		select {
		case st.asked <- m:
		default:
		}
	}
	return nil
}

func (st *fuzzStream) Recv() (*imv1.MessageResponse, error) {
	select {
	case m := <-st.out:
		return m, nil
	case <-st.closed:
		return nil, io.EOF
	case <-st.ctx.Done():
		return nil, st.ctx.Err()
	}
}

// put gives the session a message, unless the stream has ended.
func (st *fuzzStream) put(m *imv1.MessageResponse) {
	select {
	case st.out <- m:
	case <-st.closed:
	case <-st.ctx.Done():
	}
}
