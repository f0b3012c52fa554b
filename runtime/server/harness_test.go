package server_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	text      = imv1.MessageType_MESSAGE_TYPE_TEXT
	audio     = imv1.MessageType_MESSAGE_TYPE_AUDIO
	richText  = imv1.MessageType_MESSAGE_TYPE_RICH_TEXT
	system    = imv1.MessageType_MESSAGE_TYPE_SYSTEM
	ack       = imv1.MessageType_MESSAGE_TYPE_ACK
	joinRoom  = imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM
	leaveRoom = imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM
	heartbeat = imv1.MessageType_MESSAGE_TYPE_HEARTBEAT
	join      = imv1.MessageType_MESSAGE_TYPE_JOIN
	joined    = imv1.MessageType_MESSAGE_TYPE_JOINED
	leave     = imv1.MessageType_MESSAGE_TYPE_LEAVE
	left      = imv1.MessageType_MESSAGE_TYPE_LEFT
	receipts  = imv1.MessageType_MESSAGE_TYPE_RECEIPT
)

// site is a server with an in-memory listener.
type site struct {
	t      *testing.T
	server *server.Server
	grpc   *grpc.Server
	dialer func(context.Context, string) (net.Conn, error)
}

// start serves until the test ends.
func start(t *testing.T, opts ...server.Option) *site {
	t.Helper()
	return serve(t, newServer(t, opts...))
}

func newServer(t *testing.T, opts ...server.Option) *server.Server {
	t.Helper()
	srv, err := server.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

func serve(t *testing.T, srv *server.Server) *site {
	t.Helper()
	grpcServer := grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(grpcServer, srv)
	listener := memconn.Listen(1 << 16)
	go func() { _ = grpcServer.Serve(listener) }()
	t.Cleanup(func() {
		srv.Close()
		grpcServer.Stop()
	})
	return &site{t: t, server: srv, grpc: grpcServer, dialer: func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	}}
}

// stub is a generated client on a connection of its own.
func (s *site) stub(opts ...grpc.DialOption) imv1.IMServiceClient {
	s.t.Helper()
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(s.dialer),
	}, opts...)
	conn, err := grpc.NewClient("passthrough:///site", opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return imv1.NewIMServiceClient(conn)
}

// peer is one stream, written and read by hand.
type peer struct {
	t      *testing.T
	user   string
	rpc    grpc.BidiStreamingClient[imv1.MessageRequest, imv1.MessageResponse]
	cancel context.CancelFunc
	told   []*imsdkv1.Receipt // of a frame that had several
}

// open opens a stream with metadata.
func (s *site) open(pairs ...string) *peer {
	s.t.Helper()
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(s.t.Context(), pairs...))
	s.t.Cleanup(cancel)
	rpc, err := s.stub().StreamMessages(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return &peer{t: s.t, rpc: rpc, cancel: cancel}
}

// today is a client of today in a room; an empty room is none.
func (s *site) today(user, room string) *peer {
	s.t.Helper()
	p := s.open(roomPairs(user, room)...)
	p.user = user
	p.header()
	return p
}

// knowing is a client that knows the handshake, receipts and joins on the stream; resuming one knows all of the rest too.
func (s *site) knowing(user, room string, session uint64, number uint32) *peer {
	s.t.Helper()
	p, _ := s.greet(user, room, &imsdkv1.Hello{
		Version: 1, SessionId: session, StreamNumber: number, Capabilities: allCapabilities()[:2],
	})
	return p
}

func (s *site) resuming(user, room string, session uint64, number uint32, from ...*imsdkv1.Cursor) (*peer, *imsdkv1.Welcome) {
	s.t.Helper()
	hello := &imsdkv1.Hello{Version: 1, SessionId: session, StreamNumber: number, Capabilities: allCapabilities()}
	for _, cursor := range from {
		hello.Rooms = append(hello.Rooms, &imsdkv1.ResumeRoom{Cursor: cursor})
	}
	return s.greet(user, room, hello)
}

// keeping is a server option: what a log keeps.
func keeping(retention roomlog.Retention) server.Option {
	return server.WithLog(roomlog.NewMemory(retention))
}

func (s *site) greet(user, room string, hello *imsdkv1.Hello) (*peer, *imsdkv1.Welcome) {
	s.t.Helper()
	raw, err := proto.Marshal(hello)
	if err != nil {
		s.t.Fatal(err)
	}
	p := s.open(append(roomPairs(user, room), "imsdk-hello-bin", string(raw))...)
	p.user = user
	values := p.header().Get("imsdk-welcome-bin")
	if len(values) != 1 {
		s.t.Fatalf("the header has %d Welcomes", len(values))
	}
	welcome := &imsdkv1.Welcome{}
	if err := proto.Unmarshal([]byte(values[0]), welcome); err != nil {
		s.t.Fatal(err)
	}
	return p, welcome
}

func allCapabilities() []imsdkv1.Capability {
	return []imsdkv1.Capability{
		imsdkv1.Capability_CAPABILITY_RECEIPTS, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS,
		imsdkv1.Capability_CAPABILITY_RESUME, imsdkv1.Capability_CAPABILITY_FRAMES,
		imsdkv1.Capability_CAPABILITY_FLOW_CONTROL, imsdkv1.Capability_CAPABILITY_GO_AWAY,
	}
}

func roomPairs(user, room string) []string {
	pairs := []string{"user-id", user}
	if room != "" {
		pairs = append(pairs, "room-id", room)
	}
	return pairs
}

func (p *peer) header() metadata.MD {
	p.t.Helper()
	header, err := p.rpc.Header()
	if err != nil {
		p.t.Fatal(err)
	}
	return header
}

func (p *peer) send(request *imv1.MessageRequest) {
	p.t.Helper()
	if err := p.rpc.Send(request); err != nil {
		p.t.Fatal(err)
	}
}

// say sends a text.
func (p *peer) say(room, id, words string) {
	p.t.Helper()
	p.send(&imv1.MessageRequest{MessageId: id, RoomId: room, Type: text, Content: []byte(words)})
}

// next is the next message, of any type.
func (p *peer) next() *imv1.MessageResponse {
	p.t.Helper()
	message, err := p.rpc.Recv()
	if err != nil {
		p.t.Fatalf("user %s: %v", p.user, err)
	}
	return message
}

// want is the next message, which has to have a type.
func (p *peer) want(kind imv1.MessageType) *imv1.MessageResponse {
	p.t.Helper()
	message := p.next()
	if message.GetType() != kind {
		p.t.Fatalf("user %s got %v, want a %v", p.user, message, kind)
	}
	return message
}

// wantAfterOthers skips other types.
func (p *peer) wantAfterOthers(kind imv1.MessageType) *imv1.MessageResponse {
	p.t.Helper()
	for {
		if message := p.next(); message.GetType() == kind {
			return message
		}
	}
}

// wantText is the next message, which has to be a text.
func (p *peer) wantText(words string) *imv1.MessageResponse {
	p.t.Helper()
	message := p.want(text)
	if string(message.GetContent()) != words {
		p.t.Fatalf("user %s got %q, want %q", p.user, message.GetContent(), words)
	}
	return message
}

// wantReceipt is the next receipt. What it skips are the peer's own messages, which the log has too.
func (p *peer) wantReceipt() *imsdkv1.Receipt {
	p.t.Helper()
	if len(p.told) == 0 {
		p.told = decode(p.t, p.want(receipts).GetContent(), &imsdkv1.Receipts{}).GetReceipts()
	}
	if len(p.told) == 0 {
		p.t.Fatal("a RECEIPT without receipts")
	}
	first := p.told[0]
	p.told = p.told[1:]
	return first
}

// silent makes sure that nothing waits to be received: the answer to a heartbeat comes first, once the server has nothing
// to do.
func (p *peer) silent() {
	p.t.Helper()
	synctest.Wait()
	p.send(&imv1.MessageRequest{MessageId: "nothing-before-me", Type: heartbeat, Content: []byte("ping")})
	if message := p.want(heartbeat); message.GetMessageId() != "nothing-before-me" {
		p.t.Fatalf("user %s got another heartbeat: %v", p.user, message)
	}
}

// pass lets time pass and sends heartbeats meanwhile.
func (p *peer) pass(d time.Duration) {
	p.t.Helper()
	for d > 0 {
		step := min(d, 10*time.Second)
		time.Sleep(step)
		p.silent()
		d -= step
	}
}

// ended is how the stream ended; what came before is skipped.
func (p *peer) ended() error {
	p.t.Helper()
	for {
		if _, err := p.rpc.Recv(); err != nil {
			return err
		}
	}
}

// hangUp ends the stream and waits until the server has seen it.
func (p *peer) hangUp() {
	p.cancel()
	synctest.Wait()
}

// join asks on the stream to be put into a room and gives the answer.
func (p *peer) join(room string, metadata map[string]string) (*imv1.MessageResponse, *imv1.JoinRoomResponse) {
	p.t.Helper()
	p.send(&imv1.MessageRequest{MessageId: "join-" + room, RoomId: room, Type: join, Metadata: metadata})
	message := p.want(joined)
	if message.GetMessageId() != "join-"+room {
		p.t.Fatalf("JOINED has id %q", message.GetMessageId())
	}
	return message, decode(p.t, message.GetContent(), &imv1.JoinRoomResponse{})
}

// leave asks on the stream to be taken out of a room and gives the answer.
func (p *peer) leave(room string) *imv1.LeaveRoomResponse {
	p.t.Helper()
	p.send(&imv1.MessageRequest{MessageId: "leave-" + room, RoomId: room, Type: leave})
	message := p.want(left)
	if message.GetMessageId() != "leave-"+room {
		p.t.Fatalf("LEFT has id %q", message.GetMessageId())
	}
	return decode(p.t, message.GetContent(), &imv1.LeaveRoomResponse{})
}

func decode[T proto.Message](t *testing.T, raw []byte, into T) T {
	t.Helper()
	if err := proto.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
	return into
}

// wantStatus checks an error's code and that its text has all the words.
func wantStatus(t *testing.T, err error, code codes.Code, words ...string) {
	t.Helper()
	if status.Code(err) != code {
		t.Fatalf("got %v, want %v", err, code)
	}
	wantWords(t, status.Convert(err).Message(), words...)
}

func wantWords(t *testing.T, got string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(got, word) {
			t.Errorf("%q does not say %q", got, word)
		}
	}
}

// wantRefused checks that a receipt is a refusal with a code and words.
func wantRefused(t *testing.T, receipt *imsdkv1.Receipt, code codes.Code, words ...string) {
	t.Helper()
	refusal := receipt.GetRefusal()
	if refusal == nil || codes.Code(refusal.GetCode()) != code || receipt.GetSeq() != 0 {
		t.Fatalf("got %v, want a refusal with %v", receipt, code)
	}
	wantWords(t, refusal.GetMessage(), words...)
}

// wantTaken checks that a receipt is none of a refusal.
func wantTaken(t *testing.T, receipt *imsdkv1.Receipt) {
	t.Helper()
	if receipt.GetRefusal() != nil || receipt.GetSeq() == 0 || receipt.GetEpoch() == 0 || receipt.GetTime() == nil {
		t.Fatalf("got %v, want an appended message", receipt)
	}
}

// users is who is in a room, as GetRoomInfo tells it.
func (s *site) users(room string) []*imv1.RoomUser {
	s.t.Helper()
	info, err := s.stub().GetRoomInfo(s.t.Context(), &imv1.GetRoomInfoRequest{RoomId: room})
	if err != nil {
		s.t.Fatal(err)
	}
	return info.GetUsers()
}

func marshal(t *testing.T, message proto.Message) string {
	t.Helper()
	raw, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// crash panics if it gets nothing.
func crash(errs []error) error { return errs[0] }

// silentAfterOthers makes sure that the server has handled what was sent.
func (p *peer) silentAfterOthers() {
	p.t.Helper()
	p.send(&imv1.MessageRequest{MessageId: "handled", Type: heartbeat, Content: []byte("ping")})
	for id := ""; id != "handled"; {
		id = p.wantAfterOthers(heartbeat).GetMessageId()
	}
}

// wantReceiptAfterOthers skips messages.
func (p *peer) wantReceiptAfterOthers() *imsdkv1.Receipt {
	p.t.Helper()
	if len(p.told) == 0 {
		p.told = decode(p.t, p.wantAfterOthers(receipts).GetContent(), &imsdkv1.Receipts{}).GetReceipts()
	}
	first := p.told[0]
	p.told = p.told[1:]
	return first
}
