package session_test

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

type call = grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]

// script is a server that does what a test says. Everything it was sent it writes down.
type script struct {
	imv1.UnimplementedIMServiceServer

	// stream is the whole life of a stream; nil: welcome everybody and give receipts.
	stream func(c *peer) error
	send   func(*imv1.SendMessageRequest) (*imv1.SendMessageResponse, error)
	join   func(*imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error)
	leave  func(*imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error)
	info   func(*imv1.GetRoomInfoRequest) (*imv1.GetRoomInfoResponse, error)
	script func(*imv1.TranscriptRequest) (*imv1.TranscriptResponse, error)
	health func(*imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error)
	upload func(grpc.ClientStreamingServer[imv1.UploadAudioRequest, imv1.UploadAudioResponse]) error

	mu    sync.Mutex
	peers []*peer
	unary []proto.Message
}

// peer is one stream as the server sees it.
type peer struct {
	call
	number int // from 1
	md     metadata.MD
	hello  *imsdkv1.Hello // nil if there was none
	stop   chan error     // ends the stream of a keeper

	mu   sync.Mutex
	got  []*imv1.MessageRequest
	send sync.Mutex
}

func (s *script) StreamMessages(c call) error {
	md, _ := metadata.FromIncomingContext(c.Context())
	p := &peer{call: c, md: md, stop: make(chan error, 1)}
	if raw := md.Get("imsdk-hello-bin"); len(raw) == 1 {
		p.hello = new(imsdkv1.Hello)
		if err := proto.Unmarshal([]byte(raw[0]), p.hello); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.peers = append(s.peers, p)
	p.number = len(s.peers)
	s.mu.Unlock()
	if s.stream == nil {
		return p.serve(welcome(), nil)
	}
	return s.stream(p)
}

func (s *script) note(request proto.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unary = append(s.unary, request)
}

func (s *script) calls() []proto.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unary)
}

// requests are the unary calls of one type.
func requests[T proto.Message](s *script) []T {
	var found []T
	for _, call := range s.calls() {
		if request, ok := call.(T); ok {
			found = append(found, request)
		}
	}
	return found
}

// peer waits for nothing: it gives the stream of a number, which must be there.
func (s *script) peer(t *testing.T, number int) *peer {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.peers) < number {
		t.Fatalf("the server has seen %d streams, not %d", len(s.peers), number)
	}
	return s.peers[number-1]
}

func (s *script) streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers)
}

func (s *script) SendMessage(_ context.Context, r *imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
	s.note(r)
	return s.send(r)
}

func (s *script) JoinRoom(_ context.Context, r *imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
	s.note(r)
	if s.join == nil {
		return new(imv1.JoinRoomResponse), nil
	}
	return s.join(r)
}

func (s *script) LeaveRoom(_ context.Context, r *imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error) {
	s.note(r)
	if s.leave == nil {
		return new(imv1.LeaveRoomResponse), nil
	}
	return s.leave(r)
}

func (s *script) GetRoomInfo(_ context.Context, r *imv1.GetRoomInfoRequest) (*imv1.GetRoomInfoResponse, error) {
	s.note(r)
	return s.info(r)
}

func (s *script) GetAudioTranscript(_ context.Context, r *imv1.TranscriptRequest) (*imv1.TranscriptResponse, error) {
	s.note(r)
	return s.script(r)
}

func (s *script) HealthCheck(_ context.Context, r *imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
	s.note(r)
	if s.health == nil {
		return nil, status.Error(codes.Unavailable, "the script has no answer")
	}
	return s.health(r)
}

func (s *script) UploadAudio(c grpc.ClientStreamingServer[imv1.UploadAudioRequest, imv1.UploadAudioResponse]) error {
	return s.upload(c)
}

// welcome is that of a server that keeps no logs; keeper_test.go has one that does.
func welcome() *imsdkv1.Welcome {
	return &imsdkv1.Welcome{Version: 1, Agent: "script", Capabilities: []imsdkv1.Capability{
		imsdkv1.Capability_CAPABILITY_RECEIPTS, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS,
	}}
}

// serve greets the client, then reads until the stream ends: heartbeats, joins, leaves and sends are answered, unless on
// takes the message first.
func (p *peer) serve(w *imsdkv1.Welcome, on func(*imv1.MessageRequest) (done bool, err error)) error {
	if w != nil {
		for _, room := range p.md.Get("room-id") {
			if !slices.ContainsFunc(w.GetRooms(), func(s *imsdkv1.RoomState) bool { return s.GetRoomId() == room }) {
				w.Rooms = append(w.Rooms, &imsdkv1.RoomState{RoomId: room})
			}
		}
		if err := p.greet(w); err != nil {
			return err
		}
	}
	for {
		message, err := p.read()
		if err != nil {
			return nil //nolint:nilerr // the client has gone
		}
		if on != nil {
			if done, err := on(message); err != nil {
				return err
			} else if done {
				continue
			}
		}
		if err := p.answer(message, w != nil); err != nil {
			return err
		}
	}
}

func (p *peer) greet(w *imsdkv1.Welcome) error {
	raw, err := proto.Marshal(w)
	if err != nil {
		return err
	}
	return p.SendHeader(metadata.Pairs("imsdk-welcome-bin", string(raw)))
}

// read gives the next message and writes it down.
func (p *peer) read() (*imv1.MessageRequest, error) {
	message, err := p.Recv()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, message)
	return message, nil
}

// all gives what came, of one type or, with type 0, of all.
func (p *peer) all(kind imv1.MessageType) []*imv1.MessageRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.got), func(m *imv1.MessageRequest) bool { return kind != 0 && m.GetType() != kind })
}

// push sends a message; gRPC wants one at a time.
func (p *peer) push(m *imv1.MessageResponse) error {
	p.send.Lock()
	defer p.send.Unlock()
	return p.Send(m)
}

func (p *peer) answer(m *imv1.MessageRequest, known bool) error {
	switch m.GetType() {
	case imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		return p.push(&imv1.MessageResponse{MessageId: m.GetMessageId(), Type: m.GetType()})
	case imv1.MessageType_MESSAGE_TYPE_JOIN:
		return p.push(&imv1.MessageResponse{
			MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), Type: imv1.MessageType_MESSAGE_TYPE_JOINED,
			Content: encode(&imv1.JoinRoomResponse{RoomInfo: &imv1.RoomInfo{RoomId: m.GetRoomId()}}),
		})
	case imv1.MessageType_MESSAGE_TYPE_LEAVE:
		return p.push(&imv1.MessageResponse{
			MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), Type: imv1.MessageType_MESSAGE_TYPE_LEFT,
			Content: encode(new(imv1.LeaveRoomResponse)),
		})
	case imv1.MessageType_MESSAGE_TYPE_ACK:
		return nil
	default:
		if !known {
			return nil
		}
		return p.receipt(&imsdkv1.Receipt{
			MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), SendNumber: m.GetSendNumber(),
			Seq: 40 + m.GetSendNumber(), Epoch: 7, Time: timestamppb.Now(),
		})
	}
}

func (p *peer) receipt(r *imsdkv1.Receipt) error {
	return p.push(&imv1.MessageResponse{
		Type: imv1.MessageType_MESSAGE_TYPE_RECEIPT, Content: encode(&imsdkv1.Receipts{Receipts: []*imsdkv1.Receipt{r}}),
	})
}

func encode(m proto.Message) []byte {
	raw, err := proto.Marshal(m)
	if err != nil {
		panic(err) //nolint:forbidigo // the tests' own messages have no such error
	}
	return raw
}

// network lets a test take the server away and bring it back.
type network struct {
	mu       sync.Mutex
	listener *memconn.Listener
	grpc     *grpc.Server
	script   *script
	dials    []time.Time
	slow     time.Duration // how long a dial takes
}

// start serves a script until the test ends.
func start(t *testing.T, s *script) *network {
	t.Helper()
	n := &network{script: s}
	n.up()
	t.Cleanup(n.down)
	return n
}

func (n *network) up() {
	listener := memconn.Listen(64 << 10)
	server := grpc.NewServer()
	imv1.RegisterIMServiceServer(server, n.script)
	go func() { _ = server.Serve(listener) }()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listener, n.grpc = listener, server
}

func (n *network) down() {
	n.mu.Lock()
	server := n.grpc
	n.listener, n.grpc = nil, nil
	n.mu.Unlock()
	if server != nil {
		server.Stop()
	}
}

func (n *network) dial(ctx context.Context, _ string) (net.Conn, error) {
	n.mu.Lock()
	listener := n.listener
	n.dials = append(n.dials, time.Now())
	slow := n.slow
	n.mu.Unlock()
	time.Sleep(slow)
	if listener == nil {
		return nil, io.ErrClosedPipe
	}
	return listener.DialContext(ctx)
}

// session makes a session of user "u" that the test closes.
func (n *network) session(t *testing.T, opts ...session.Option) *session.Session {
	t.Helper()
	own := []session.Option{session.WithUser("u"), session.WithDialOptions(grpc.WithContextDialer(n.dial))}
	s, err := session.Dial("passthrough:///script", append(own, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		<-s.Done()
	})
	return s
}

// connected makes a session and connects it.
func (n *network) connected(t *testing.T, opts ...session.Option) *session.Session {
	t.Helper()
	s := n.session(t, opts...)
	connect(t, s)
	return s
}

func connect(t *testing.T, s *session.Session) {
	t.Helper()
	if err := s.Connect(t.Context()); err != nil {
		t.Fatalf("Connect: %v", err)
	}
}

// client makes a plain gRPC client, as an application has one.
func (n *network) client(t *testing.T) (imv1.IMServiceClient, *grpc.ClientConn) {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///script", grpc.WithContextDialer(n.dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return imv1.NewIMServiceClient(conn), conn
}
