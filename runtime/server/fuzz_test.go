package server_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime/metrics"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// fuzzCall is one StreamMessages call without a network: the client sends some messages and closes its side.
type fuzzCall struct {
	grpc.ServerStream // none: what the server is not expected to call

	ctx      context.Context //nolint:containedctx // the call's
	requests chan *imv1.MessageRequest

	mu     sync.Mutex
	header metadata.MD
	sent   []*imv1.MessageResponse
	wrong  error // what gRPC could not have sent
	moved  chan struct{}
	ended  chan struct{}
	result error
}

// serveCall starts a call on a server. Closing requests closes the client's side.
func serveCall(srv *server.Server, md metadata.MD) *fuzzCall {
	ctx, cancel := context.WithCancel(metadata.NewIncomingContext(context.Background(), md))
	c := &fuzzCall{
		ctx: ctx, requests: make(chan *imv1.MessageRequest), moved: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go func() {
		defer close(c.ended)
		defer cancel()
		c.result = srv.StreamMessages(c)
	}()
	return c
}

func (c *fuzzCall) Context() context.Context { return c.ctx }

func (c *fuzzCall) SendHeader(header metadata.MD) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = header
	return nil
}

func (c *fuzzCall) Recv() (*imv1.MessageRequest, error) {
	select {
	case request, ok := <-c.requests:
		if !ok {
			return nil, io.EOF
		}
		return request, nil
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
}

func (c *fuzzCall) Send(m *imv1.MessageResponse) error {
	raw, err := proto.Marshal(m)
	if err == nil {
		m = new(imv1.MessageResponse)
		err = proto.Unmarshal(raw, m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, m)
	c.wrong = errors.Join(c.wrong, err)
	select {
	case c.moved <- struct{}{}:
	default:
	}
	return nil
}

// put sends a message, unless the stream has ended.
func (c *fuzzCall) put(m *imv1.MessageRequest) {
	select {
	case c.requests <- m:
	case <-c.ended:
	}
}

// await waits until the client was sent something that it looks for. false: the stream ended.
func (c *fuzzCall) await(t *testing.T, what string, found func(*imv1.MessageResponse) bool) bool {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for seen, over := 0, false; ; {
		c.mu.Lock()
		sent := c.sent[seen:]
		c.mu.Unlock()
		seen += len(sent)
		if slices.ContainsFunc(sent, found) {
			return true
		}
		if over {
			return false
		}
		select {
		case <-c.moved:
		case <-c.ended:
			over = true
		case <-timeout:
			t.Fatalf("no %s has come", what)
		}
	}
}

// end closes the client's side and waits for the server's.
func (c *fuzzCall) end(t *testing.T) {
	t.Helper()
	close(c.requests)
	select {
	case <-c.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the stream does not end")
	}
	if c.wrong != nil {
		t.Fatalf("the server sends what cannot be sent: %v", c.wrong)
	}
}

func helloWith(tb testing.TB, hello *imsdkv1.Hello) []byte {
	tb.Helper()
	raw, err := proto.Marshal(hello)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func everything() []imsdkv1.Capability {
	return []imsdkv1.Capability{
		imsdkv1.Capability_CAPABILITY_RECEIPTS, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS,
		imsdkv1.Capability_CAPABILITY_RESUME, imsdkv1.Capability_CAPABILITY_FRAMES,
		imsdkv1.Capability_CAPABILITY_FLOW_CONTROL, imsdkv1.Capability_CAPABILITY_GO_AWAY,
	}
}

// allocated is what the process has ever allocated, in bytes.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// checkAllocated bounds what so many bytes of input may cost. A number in a frame must not become memory.
func checkAllocated(t *testing.T, before uint64, input int) {
	t.Helper()
	if used := allocated() - before; used > 16<<20+16<<10*uint64(input) {
		t.Fatalf("%d bytes of input made the server allocate %d", input, used)
	}
}

// FuzzHello starts streams with any metadata. A Hello that is one is answered by a Welcome with no more than was asked for
// and no more than the server allows; any other is none.
func FuzzHello(f *testing.F) {
	f.Add([]byte{}, "u", "r")
	f.Add([]byte("\xff\xff\xff"), "u", "")
	f.Add([]byte{}, "", "r")
	f.Add(helloWith(f, &imsdkv1.Hello{Version: 1}), "\xff", "r")
	f.Add(helloWith(f, &imsdkv1.Hello{Version: 1}), "u", "\xff")
	f.Add(helloWith(f, &imsdkv1.Hello{
		Version: 1, SessionId: 7, StreamNumber: 1, Capabilities: everything(), WindowBytes: 1 << 63, Agent: "fuzz",
		HeartbeatInterval: durationpb.New(time.Second), HeartbeatTimeout: &durationpb.Duration{Seconds: -1 << 62, Nanos: -7},
		Limits: &imsdkv1.Limits{MaxMessageBytes: 1<<32 - 1, MaxRooms: 1<<32 - 1}, MoreRooms: true,
		Rooms: []*imsdkv1.ResumeRoom{
			{Cursor: &imsdkv1.Cursor{RoomId: "a", Epoch: 1, Seq: 1<<64 - 1}, Metadata: map[string]string{"nickname": "N"}},
			{Cursor: &imsdkv1.Cursor{RoomId: "a"}},
			{Cursor: &imsdkv1.Cursor{}},
			{},
		},
	}), "u", "a")
	f.Add(helloWith(f, &imsdkv1.Hello{
		Version: 2, Capabilities: everything()[2:5], WindowBytes: 1 << 40,
		HeartbeatInterval: durationpb.New(time.Hour), HeartbeatTimeout: durationpb.New(time.Hour),
	}), "u", "")
	f.Fuzz(func(t *testing.T, raw []byte, user, room string) {
		before := allocated()
		srv := newServer(t)
		defer srv.Close()
		md := metadata.MD{"imsdk-hello-bin": {string(raw)}}
		if user != "" {
			md.Set("user-id", user)
		}
		if room != "" {
			md.Set("room-id", room)
		}
		call := serveCall(srv, md)
		call.end(t)
		checkAllocated(t, before, len(raw)+len(user)+len(room))
		if call.header == nil { // refused: a bad id, for one
			if code := status.Code(call.result); code == codes.Internal || code == codes.Unknown {
				t.Fatalf("the server fails: %v", call.result)
			}
			return
		}
		hello := new(imsdkv1.Hello)
		known := proto.Unmarshal(raw, hello) == nil && hello.GetVersion() > 0
		answer := call.header.Get("imsdk-welcome-bin")
		if known != (len(answer) == 1) {
			t.Fatalf("%v is answered by %q", hello, answer)
		}
		if known {
			checkWelcome(t, hello, answer[0])
		}
	})
}

func checkWelcome(t *testing.T, hello *imsdkv1.Hello, raw string) {
	t.Helper()
	welcome := new(imsdkv1.Welcome)
	if err := proto.Unmarshal([]byte(raw), welcome); err != nil {
		t.Fatal(err)
	}
	asked := make(map[imsdkv1.Capability]bool)
	for _, capability := range hello.GetCapabilities() {
		asked[capability] = true
	}
	for _, capability := range welcome.GetCapabilities() {
		if !asked[capability] {
			t.Fatalf("%s was not asked for", capability)
		}
	}
	interval, timeout := welcome.GetHeartbeatInterval().AsDuration(), welcome.GetHeartbeatTimeout().AsDuration()
	if welcome.GetVersion() != 1 || interval <= 0 || interval > 10*time.Second || timeout <= 0 || timeout > 5*time.Second ||
		welcome.GetWindowBytes() > 256<<10 {
		t.Fatalf("Welcome: %v", welcome)
	}
}

// thisEpoch stands for the epoch of the room "r", which is another one each time. An epoch has eight bytes on the wire.
const thisEpoch = "EPOCH..."

// FuzzRequests sends any messages on a stream: those in field 20 of an envelope, which is how a list of them is written.
// Another user of the room must be served as before, and see a whole chain.
func FuzzRequests(f *testing.F) {
	for _, requests := range fuzzRequests(f) {
		f.Add(helloWith(f, &imsdkv1.Hello{Version: 1, SessionId: 7, StreamNumber: 1, Capabilities: everything()}), requests)
		f.Add([]byte{}, requests)
	}
	f.Add(helloWith(f, &imsdkv1.Hello{
		Version: 1, SessionId: 7, StreamNumber: 2, Capabilities: everything(), WindowBytes: 1,
		Rooms: []*imsdkv1.ResumeRoom{{Cursor: &imsdkv1.Cursor{RoomId: "r", Epoch: binary.LittleEndian.Uint64([]byte(thisEpoch)), Seq: 1}}},
	}), []byte{})
	f.Fuzz(func(t *testing.T, hello, raw []byte) {
		if proto.Unmarshal(raw, new(imv1.MessageRequest)) != nil {
			return // gRPC lets nothing of it through
		}
		before := allocated()
		srv := newServer(t, server.WithOnAck(func(context.Context, server.Ack) {}))
		defer srv.Close()
		watcher, epoch := watch(t, srv)
		hello = bytes.ReplaceAll(hello, []byte(thisEpoch), epoch)
		requests := new(imv1.MessageRequest)
		if err := proto.Unmarshal(bytes.ReplaceAll(raw, []byte(thisEpoch), epoch), requests); err != nil {
			return // it stood somewhere else
		}
		watcher.put(textOf("m0", 1)) // for cursors and ACKs to be about
		call := serveCall(srv, metadata.MD{"imsdk-hello-bin": {string(hello)}, "user-id": {"u"}, "room-id": {"r"}})
		for _, request := range requests.GetMessages() {
			call.put(request)
		}
		call.end(t)
		checkAllocated(t, before, len(raw)+len(hello))
		watcher.put(textOf("m1", 2))
		watcher.await(t, "receipt of m1", func(m *imv1.MessageResponse) bool {
			told := new(imsdkv1.Receipts)
			if m.GetType() != receipts || proto.Unmarshal(m.GetContent(), told) != nil {
				return false
			}
			for _, receipt := range told.GetReceipts() {
				if receipt.GetMessageId() == "m1" && receipt.GetRefusal() == nil && receipt.GetSeq() > 0 {
					return true
				}
			}
			return false
		})
		watcher.end(t)
		checkChain(t, watcher.sent)
	})
}

// watch is a user "w" in the room "r" that everything is agreed on with. epoch is that of the room.
func watch(t *testing.T, srv *server.Server) (w *fuzzCall, epoch []byte) {
	t.Helper()
	w = serveCall(srv, metadata.MD{
		"imsdk-hello-bin": {string(helloWith(t, &imsdkv1.Hello{Version: 1, SessionId: 9, StreamNumber: 1, Capabilities: everything()}))},
		"user-id":         {"w"}, "room-id": {"r"},
	})
	w.put(&imv1.MessageRequest{MessageId: "first", Type: heartbeat})
	w.await(t, "heartbeat", func(m *imv1.MessageResponse) bool { return m.GetMessageId() == "first" })
	welcome := new(imsdkv1.Welcome)
	if err := proto.Unmarshal([]byte(w.header.Get("imsdk-welcome-bin")[0]), welcome); err != nil {
		t.Fatal(err)
	}
	return w, binary.LittleEndian.AppendUint64(nil, welcome.GetRooms()[0].GetEpoch())
}

func textOf(id string, number uint64) *imv1.MessageRequest {
	return &imv1.MessageRequest{
		MessageId: id, RoomId: "r", Type: text, Content: []byte("hi"), SendNumber: number, AckRequired: true,
	}
}

// checkChain looks for holes in what a reader of the room "r" was sent.
func checkChain(t *testing.T, sent []*imv1.MessageResponse) {
	t.Helper()
	var last *imv1.MessageResponse
	for _, m := range sent {
		if m.GetRoomId() != "r" || m.GetSeq() == 0 || m.GetType() >= 16 && m.GetType() < 64 {
			continue
		}
		if last != nil && (m.GetEpoch() != last.GetEpoch() || m.GetPrevSeq() != last.GetSeq() || m.GetSeq() <= last.GetSeq()) {
			t.Fatalf("after %v comes %v", last, m)
		}
		last = m
	}
}

func fuzzRequests(f *testing.F) [][]byte {
	f.Helper()
	of := func(m proto.Message) []byte {
		raw, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		return raw
	}
	epoch := binary.LittleEndian.Uint64([]byte(thisEpoch))
	cursor := &imsdkv1.Cursor{RoomId: "r", Epoch: epoch, Seq: 1}
	var many []*imv1.MessageRequest
	for i := range 20 {
		many = append(many, &imv1.MessageRequest{MessageId: strconv.Itoa(i), RoomId: "r", Type: text, SendNumber: uint64(i)})
	}
	var seeds [][]byte
	for _, list := range [][]*imv1.MessageRequest{
		{{Type: heartbeat, Content: []byte("ping"), MessageId: "1"}},
		{{Type: text, MessageId: "a", RoomId: "r", Content: []byte("hello"), SendNumber: 1}, {Type: text, MessageId: "a", RoomId: "r", Content: []byte("other"), SendNumber: 1}},
		{{Type: text, MessageId: "b", RoomId: "r", SendNumber: 3, PrevSendNumber: 2}, {Type: text, MessageId: "c", RoomId: "r", SendNumber: 1<<64 - 1, Epoch: epoch}},
		{{Type: audio, RoomId: "r", Content: []byte(`{"audio_id":"a1","duration":30.5}`)}, {Type: richText, RoomId: "r", Content: []byte(`{"type":"markdown"}`)}},
		{{Type: ack, RoomId: "r", Content: []byte(`{"original_message_id":"m0","success":true}`)}, {Type: ack, Content: []byte(`{"original_message_id":"m0","error_message":"x"}`)}},
		{{Type: ack, RoomId: "r", Content: []byte(`{`)}, {Type: ack}},
		{{Type: join, RoomId: "s", MessageId: "j", Content: of(&imsdkv1.Join{Cursor: cursor}), Metadata: map[string]string{"nickname": "N", "role": "admin"}}, {Type: leave, RoomId: "s", MessageId: "l"}},
		{{Type: join, RoomId: "s", Content: []byte("\xff")}, {Type: join}, {Type: leave}},
		{{Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: of(&imsdkv1.Cursors{Cursors: []*imsdkv1.Cursor{cursor, {RoomId: "s", Epoch: 1<<64 - 1, Seq: 1<<64 - 1}, {}}})}},
		{{Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: []byte("\x0a\xff")}},
		{{Type: imv1.MessageType_MESSAGE_TYPE_FRAME, Messages: []*imv1.MessageRequest{{Type: text}}}, {Type: imv1.MessageType_MESSAGE_TYPE_GO_AWAY}, {Type: -1}, {Type: 1000, RoomId: "r", Content: []byte{0}}},
		{{Type: joinRoom, RoomId: "r"}, {Type: leaveRoom, RoomId: "r"}, {Type: system, RoomId: "r", Content: []byte("plain")}},
		{{UserId: "somebody", Type: text, RoomId: "r"}, {Type: text, RoomId: "elsewhere"}},
		many,
	} {
		seeds = append(seeds, of(&imv1.MessageRequest{Messages: list}))
	}
	return seeds
}
