package session_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const (
	joinedType  = imv1.MessageType_MESSAGE_TYPE_JOINED
	leftType    = imv1.MessageType_MESSAGE_TYPE_LEFT
	receiptType = imv1.MessageType_MESSAGE_TYPE_RECEIPT
	gapType     = imv1.MessageType_MESSAGE_TYPE_GAP
	goAwayType  = imv1.MessageType_MESSAGE_TYPE_GO_AWAY
)

// fuzzed is a session whose server sends anything.
type fuzzed struct {
	t      *testing.T
	before uint64 // what had been allocated
	s      *session.Session
	client *imv1sdk.Client
	server *fuzzServer

	resumes bool // knows the log of "r": a unary join does not tell it

	mu     sync.Mutex
	seqs   []*runtime.Incoming // the numbered messages of the room "r" as they came
	gaps   int
	errors int   // handlers' errors among them
	bad    error // what no input may lead to
}

func newFuzzed(t *testing.T, welcome []byte) *fuzzed {
	t.Helper()
	f := &fuzzed{t: t, before: allocated(), server: &fuzzServer{
		header: metadata.MD{"imsdk-welcome-bin": {string(welcome)}}, streams: make(chan *fuzzStream, 1),
	}}
	var err error
	f.s, err = session.New(f.server, session.WithUser("u"), session.WithLogger(slog.New(slog.DiscardHandler)),
		session.WithOnError(f.onError), session.WithOnMessage(f.onMessage),
		session.WithOnAck(func(_ context.Context, ack session.Ack) {
			if ack.Content == nil {
				f.onError(errors.New("an ACK without a content: a handler would have panicked"))
			}
		}),
		session.WithOnGap(func(context.Context, session.Gap) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.gaps++
		}))
	if err != nil {
		t.Fatal(err)
	}
	f.client, err = imv1sdk.NewClient(f.s, imv1sdk.Handlers{
		OnText:  func(context.Context, *imv1sdk.TextMessage) error { return nil },
		OnAudio: func(context.Context, *imv1sdk.AudioMessage) error { return errors.New("no") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fuzzed) onError(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors++
	if strings.Contains(err.Error(), "panicked") {
		f.bad = errors.Join(f.bad, err)
	}
}

func (f *fuzzed) onMessage(_ context.Context, in *runtime.Incoming) {
	if in.RoomID == "r" && in.Seq > 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seqs = append(f.seqs, in)
	}
}

// end closes the session and looks for what no input may lead to.
func (f *fuzzed) end(input int) {
	f.t.Helper()
	_ = f.s.Close()
	select {
	case <-f.s.Done():
	case <-time.After(10 * time.Second):
		f.t.Fatal("something of the session goes on for ever")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad != nil {
		f.t.Fatal(f.bad)
	}
	if used := allocated() - f.before; used > 16<<20+16<<10*uint64(input) {
		f.t.Fatalf("%d bytes of input made the session allocate %d", input, used)
	}
}

// allocated is what the process has ever allocated, in bytes.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func all() []imsdkv1.Capability {
	return []imsdkv1.Capability{
		imsdkv1.Capability_CAPABILITY_RECEIPTS, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS,
		imsdkv1.Capability_CAPABILITY_RESUME, imsdkv1.Capability_CAPABILITY_FRAMES,
		imsdkv1.Capability_CAPABILITY_FLOW_CONTROL, imsdkv1.Capability_CAPABILITY_GO_AWAY,
	}
}

// FuzzWelcome connects to servers with any header. A Welcome that is one switches on what it names and the session knows;
// any other is that of a server of today. The session connects either way.
func FuzzWelcome(f *testing.F) {
	f.Add([]byte{})
	f.Add(garbage)
	f.Add(encode(&imsdkv1.Welcome{Version: 1}))
	f.Add(encode(&imsdkv1.Welcome{
		Version: 1<<32 - 1, Capabilities: append(all(), 99, -1), UserId: "somebody", Agent: "fuzz", WindowBytes: 1<<64 - 1,
		Rooms:             []*imsdkv1.RoomState{{RoomId: "r", Epoch: 7, Head: 1<<64 - 1}, {RoomId: "r"}, {}, {RoomId: strings.Repeat("x", 500)}},
		HeartbeatInterval: durationpb.New(1), HeartbeatTimeout: &durationpb.Duration{Seconds: -1 << 62, Nanos: -7},
		DedupeWindow: durationpb.New(1), Limits: &imsdkv1.Limits{MaxMessageBytes: 1, MaxRooms: 1}, MoreRooms: true,
	}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		z := newFuzzed(t, raw)
		if err := z.s.Connect(t.Context()); err != nil {
			t.Fatalf("Connect: %v", err)
		}
		want, welcome := session.Capabilities{}, new(imsdkv1.Welcome)
		if proto.Unmarshal(raw, welcome) == nil && welcome.GetVersion() > 0 {
			has := func(c imsdkv1.Capability) bool { return slices.Contains(welcome.GetCapabilities(), c) }
			resume := has(imsdkv1.Capability_CAPABILITY_RESUME) && has(imsdkv1.Capability_CAPABILITY_STREAM_ROOMS)
			want = session.Capabilities{
				Handshake:   true,
				Receipts:    has(imsdkv1.Capability_CAPABILITY_RECEIPTS),
				StreamRooms: has(imsdkv1.Capability_CAPABILITY_STREAM_ROOMS),
				Resume:      resume,
				FlowControl: resume && has(imsdkv1.Capability_CAPABILITY_FLOW_CONTROL),
				GoAway:      has(imsdkv1.Capability_CAPABILITY_GO_AWAY),
				Agent:       welcome.GetAgent(),
			}
		}
		if got := z.s.Capabilities(); got != want {
			t.Fatalf("%v: %+v, not %+v", welcome, got, want)
		}
		if _, err := z.s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatalf("JoinRoom: %v", err)
		}
		z.end(len(raw))
	})
}

// FuzzResponses connects to a server that knows everything but what a byte has the bits of, and sends any messages: those in field 20
// of an envelope, which is how a list of them is written. The session is in the room "r", waits for the answer to a JOIN
// of the room "asked", whose id is written "J", to a LEAVE of the room "left" ("L"), and for the receipt of "m1".
func FuzzResponses(f *testing.F) {
	for _, list := range fuzzResponses() {
		raw := encode(&imv1.MessageResponse{Messages: list})
		for _, without := range []byte{0, 1, 1 << 3, 1 << 5, 0xff} {
			f.Add(without, raw)
		}
	}
	f.Fuzz(func(t *testing.T, without byte, raw []byte) {
		responses := new(imv1.MessageResponse)
		if proto.Unmarshal(raw, responses) != nil {
			return // gRPC lets nothing of it through
		}
		synctest.Test(t, func(t *testing.T) { answerWith(t, without, responses.GetMessages(), len(raw)) })
	})
}

// answerWith is one run. With the lowest bit of without, which is no capability's, each message comes when the handler of
// the one before has returned.
func answerWith(t *testing.T, without byte, responses []*imv1.MessageResponse, size int) {
	t.Helper()
	known := slices.DeleteFunc(all(), func(c imsdkv1.Capability) bool { return without>>uint(c)&1 == 1 })
	z := newFuzzed(t, encode(&imsdkv1.Welcome{Version: 1, Capabilities: known}))
	if err := z.s.Connect(t.Context()); err != nil {
		t.Fatalf("Connect: %v", err)
	}
	st := <-z.server.streams
	wait := z.begin(st, responses)
	for _, m := range responses {
		st.put(m)
		if without&1 == 1 {
			synctest.Wait()
		}
	}
	st.put(&imv1.MessageResponse{Type: heartbeatType}) // once it is taken the others have been handled
	for _, room := range z.s.Rooms() {
		if room != "r" && room != "left" && room != "asked" {
			t.Fatalf("nobody has joined %q", room)
		}
	}
	z.end(size)
	wait()
	z.checkOrder()
}

// begin makes the session wait for answers, and puts the ids of what it has sent in the place of "J" and "L". wait
// waits for those who wait; the session is closed.
func (f *fuzzed) begin(st *fuzzStream, responses []*imv1.MessageResponse) (wait func()) {
	f.t.Helper()
	for _, room := range []string{"r", "left"} {
		if _, err := f.s.JoinRoom(f.t.Context(), room); err != nil {
			f.t.Fatalf("JoinRoom: %v", err)
		}
	}
	var waiting sync.WaitGroup
	can := f.s.Capabilities()
	f.resumes = can.Resume && can.StreamRooms
	ids := make(map[string]string)
	if can.StreamRooms {
		waiting.Go(func() { _, _ = f.s.JoinRoom(context.Background(), "asked") })
		ids["J"] = f.sent(st, joinType).GetMessageId()
		waiting.Go(func() { _, _ = f.s.LeaveRoom(context.Background(), "left") })
		ids["L"] = f.sent(st, leaveType).GetMessageId()
	}
	pending := f.client.SendTextAsync(context.Background(), "r", &imv1.TextContent{Text: "hi"}, runtime.WithMessageID("m1"))
	if got := f.sent(st, textType); can.Receipts && got.GetSendNumber() != 1 {
		f.t.Fatalf("the first send is %v", got)
	}
	for _, m := range responses {
		if id, ok := ids[m.GetMessageId()]; ok {
			m.MessageId = id
		}
	}
	return func() {
		waiting.Wait()
		<-pending.Done()
	}
}

func (f *fuzzed) sent(st *fuzzStream, kind imv1.MessageType) *imv1.MessageRequest {
	f.t.Helper()
	select {
	case m := <-st.asked:
		if m.GetType() != kind {
			f.t.Fatalf("the session has sent %v", m)
		}
		return m
	case <-time.After(10 * time.Second):
		f.t.Fatalf("the session has sent no %s", kind)
		return nil
	}
}

// checkOrder: as long as no gap was told, a room's numbers rise. Only a message whose handler failed comes again, if its
// sender waits for an ACK.
func (f *fuzzed) checkOrder() {
	f.t.Helper()
	if f.gaps > 0 || !f.resumes {
		return
	}
	for i := 1; i < len(f.seqs); i++ {
		before, in := f.seqs[i-1], f.seqs[i]
		if in.Epoch == before.Epoch && in.Seq <= before.Seq && (!in.AckRequired || f.errors == 0) {
			f.t.Fatalf("after %d/%d comes %d/%d", before.Epoch, before.Seq, in.Epoch, in.Seq)
		}
	}
}

func fuzzResponses() [][]*imv1.MessageResponse {
	text := func(seq, prev uint64) *imv1.MessageResponse {
		return &imv1.MessageResponse{
			MessageId: "x", FromUserId: "v", RoomId: "r", Type: textType, Content: []byte("hi"), Seq: seq, PrevSeq: prev, Epoch: 7, AckRequired: true,
		}
	}
	receipt := func(r *imsdkv1.Receipt) *imv1.MessageResponse {
		r.MessageId, r.RoomId, r.SendNumber = "m1", "r", 1
		return &imv1.MessageResponse{Type: receiptType, Content: encode(&imsdkv1.Receipts{Receipts: []*imsdkv1.Receipt{r, r, {}}})}
	}
	refusal := func(code int32) *imv1.MessageResponse {
		return receipt(&imsdkv1.Receipt{Refusal: &imsdkv1.Refusal{
			Code: code, Message: "no", Violations: []*imsdkv1.Violation{{Path: "text", Reason: "is too long"}, {}},
		}})
	}
	gap := func(g *imsdkv1.Gap) *imv1.MessageResponse {
		g.RoomId = "r"
		return &imv1.MessageResponse{Type: gapType, RoomId: "r", Content: encode(g)}
	}
	status := encode(&imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: 5, Message: "no room"}})
	return [][]*imv1.MessageResponse{
		{text(11, 10), text(12, 11), text(12, 11), text(11, 10), text(20, 12)},
		{text(12, 11), text(13, 12)},
		{text(1<<64-1, 10), text(1, 1<<64-1), text(0, 0)},
		{gap(&imsdkv1.Gap{Epoch: 7, AfterSeq: 10, NextEpoch: 7, NextSeq: 30, Reason: imsdkv1.GapReason_GAP_REASON_RETENTION}), text(30, 29)},
		{gap(&imsdkv1.Gap{Epoch: 1, AfterSeq: 1<<64 - 1, NextEpoch: 2, NextSeq: 0, Reason: 99}), gap(&imsdkv1.Gap{}), {Type: gapType, Content: garbage}},
		{receipt(&imsdkv1.Receipt{Epoch: 7, Seq: 11}), text(11, 10)},
		{refusal(7)},
		{refusal(15)},
		{refusal(6)},
		{refusal(-1)},
		{{Type: receiptType, Content: garbage}},
		{{Type: joinedType, MessageId: "J", RoomId: "asked", Epoch: 3, Seq: 4}, {Type: leftType, MessageId: "L", RoomId: "left"}},
		{{Type: joinedType, MessageId: "J", Content: status}, {Type: leftType, MessageId: "L", Content: status}},
		{{Type: joinedType, MessageId: "J", Content: garbage}, {Type: leftType, MessageId: "L", Content: garbage}, {Type: leftType, MessageId: "J"}},
		{{Type: goAwayType, Content: encode(&imsdkv1.GoAway{Spread: durationpb.New(time.Millisecond), Reason: "stops"})}},
		{{Type: goAwayType, Content: encode(&imsdkv1.GoAway{Spread: &durationpb.Duration{Seconds: 1 << 62}})}, {Type: goAwayType, Content: garbage}},
		{{Type: ackType, RoomId: "r", Content: []byte(`{"original_message_id":"m1","success":true}`)}, {Type: ackType, Content: []byte(`{`)}, {Type: ackType}},
		{{Type: imv1.MessageType_MESSAGE_TYPE_AUDIO, RoomId: "r", MessageId: "a", FromUserId: "v", Content: []byte(`{"audio_id":"a1","duration":30.5}`)}},
		{{Type: imv1.MessageType_MESSAGE_TYPE_RICH_TEXT, RoomId: "r", Content: []byte(`{"type":`)}, {Type: imv1.MessageType_MESSAGE_TYPE_SYSTEM, Content: []byte("plain")}},
		{{Type: textType, RoomId: "r", Content: []byte("\xff")}, {Type: textType, RoomId: "r", MessageId: "m1", FromUserId: "u"}, {Type: -1}, {Type: 1000, RoomId: "r"}, {Type: 63}},
		{{Type: imv1.MessageType_MESSAGE_TYPE_FRAME, Messages: []*imv1.MessageResponse{text(11, 10)}}, {Type: heartbeatType, MessageId: "1"}},
	}
}
