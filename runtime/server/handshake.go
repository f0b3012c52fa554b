package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"time"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	helloKey         = "imsdk-hello-bin"
	welcomeKey       = "imsdk-welcome-bin"
	handshakeVersion = 1
	agent            = "im-grpc-sdk/runtime/server"
)

// contract is what a stream's two sides agreed on. The zero value is that with a client of today.
type contract struct {
	known    bool // the client sent Hello
	receipts bool
	rooms    bool // JOIN and LEAVE on the stream
	resume   bool // cursors, replay, GAP
	windows  bool // no more in flight than the window
	goAway   bool
}

// shakeHands reads Hello, if there is one, and sets what follows from it.
func (st *stream) shakeHands(ctx context.Context) {
	cfg := &st.srv.config
	st.key.id = randomID()
	st.silence = cfg.silence
	hello := st.hello(ctx)
	if hello == nil {
		return
	}
	st.contract.known = true
	st.agent = hello.GetAgent()
	if hello.GetSessionId() != 0 {
		st.key.id, st.wireSession, st.number = hello.GetSessionId(), hello.GetSessionId(), hello.GetStreamNumber()
	}
	for _, capability := range hello.GetCapabilities() {
		switch capability {
		case imsdkv1.Capability_CAPABILITY_RECEIPTS:
			st.contract.receipts = true
		case imsdkv1.Capability_CAPABILITY_STREAM_ROOMS:
			st.contract.rooms = true
		case imsdkv1.Capability_CAPABILITY_RESUME:
			st.contract.resume = true
		case imsdkv1.Capability_CAPABILITY_FLOW_CONTROL:
			st.contract.windows = true
		case imsdkv1.Capability_CAPABILITY_GO_AWAY:
			st.contract.goAway = true
		default: // FRAMES is not built
		}
	}
	st.contract.resume = st.contract.resume && st.contract.rooms // else nobody tells the client where its reader starts
	st.contract.windows = st.contract.windows && st.contract.resume
	if st.contract.windows {
		st.window = windowOf(hello.GetWindowBytes(), cfg.window)
	}
	st.resumes = hello.GetRooms()
	st.kindsHash = hello.GetKindsHash()
	st.srv.theirs.Tell(st.srv.kinds(), hello.GetKindsHash(), hello.GetKinds())
	st.interval = shorter(hello.GetHeartbeatInterval(), cfg.heartbeat)
	st.wait = shorter(hello.GetHeartbeatTimeout(), cfg.heartbeatWait)
	st.silence = st.interval + st.wait
}

func (st *stream) hello(ctx context.Context) *imsdkv1.Hello {
	raw := metadata.ValueFromIncomingContext(ctx, helloKey)
	if len(raw) == 0 {
		return nil
	}
	hello := &imsdkv1.Hello{}
	if err := proto.Unmarshal([]byte(raw[0]), hello); err != nil || hello.GetVersion() == 0 {
		st.srv.log.Warn("a client's Hello is unreadable: it is served as a client of today", slog.Any("error", err))
		return nil
	}
	return hello
}

// windowOf gives what the client asks for, if it asks, and no more than the server's own.
func windowOf(asked uint64, most int) int {
	if asked == 0 || asked > uint64(most) {
		return most
	}
	return max(int(asked), minWindow)
}

// header is what SendHeader sends: Welcome to those that said Hello.
func (st *stream) header(states []*imsdkv1.RoomState) (metadata.MD, error) {
	if !st.contract.known {
		return metadata.MD{}, nil
	}
	cfg, kinds := &st.srv.config, st.srv.kinds()
	welcome := &imsdkv1.Welcome{
		Version:           handshakeVersion,
		Capabilities:      st.contract.capabilities(),
		UserId:            st.key.user,
		HeartbeatInterval: durationpb.New(st.interval),
		HeartbeatTimeout:  durationpb.New(st.wait),
		DedupeWindow:      durationpb.New(cfg.engine.DedupeWindow()),
		Limits:            &imsdkv1.Limits{MaxMessageBytes: uint32(cfg.maxMessage), MaxRooms: uint32(cfg.maxRooms)},
		Agent:             agent,
		WindowBytes:       uint64(st.window),
		Rooms:             states,
		KindsHash:         kinds.Hash,
	}
	if st.kindsHash != 0 && st.kindsHash != kinds.Hash {
		welcome.Kinds = kinds.Summaries
	}
	raw, err := proto.Marshal(welcome)
	if err != nil {
		return nil, err
	}
	return metadata.Pairs(welcomeKey, string(raw)), nil
}

func (c contract) capabilities() []imsdkv1.Capability {
	var all []imsdkv1.Capability
	add := func(has bool, capability imsdkv1.Capability) {
		if has {
			all = append(all, capability)
		}
	}
	add(c.receipts, imsdkv1.Capability_CAPABILITY_RECEIPTS)
	add(c.rooms, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS)
	add(c.resume, imsdkv1.Capability_CAPABILITY_RESUME)
	add(c.windows, imsdkv1.Capability_CAPABILITY_FLOW_CONTROL)
	add(c.goAway, imsdkv1.Capability_CAPABILITY_GO_AWAY)
	return all
}

// shorter gives what the client asks for, if that is a time and not above the bound.
func shorter(asked *durationpb.Duration, bound time.Duration) time.Duration {
	if asked.IsValid() && asked.AsDuration() > 0 {
		return min(asked.AsDuration(), bound)
	}
	return bound
}

// randomID gives a random number that is not 0.
func randomID() uint64 {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if id := binary.BigEndian.Uint64(b[:]); id != 0 {
			return id
		}
	}
}
