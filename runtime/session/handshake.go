package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// The metadata of a stream.
const (
	keyUser    = "user-id"
	keyRoom    = "room-id"
	keyHello   = "imsdk-hello-bin"
	keyWelcome = "imsdk-welcome-bin"
)

const handshakeVersion = 1

// outgoing puts the stream's identity and Hello into its metadata. An id that a header cannot carry stays out, and the
// other with it: the server then learns both from the first message, as servers before v1.2.0 always do.
func outgoing(ctx context.Context, user, room string, hello *imsdkv1.Hello) (context.Context, error) {
	raw, err := proto.Marshal(hello)
	if err != nil {
		return nil, fmt.Errorf("the handshake cannot be encoded: %w", err)
	}
	ctx = metadata.AppendToOutgoingContext(ctx, keyHello, string(raw))
	if !fitsHeader(user) || !fitsHeader(room) {
		return ctx, nil
	}
	ctx = metadata.AppendToOutgoingContext(ctx, keyUser, user)
	if room != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, keyRoom, room)
	}
	return ctx, nil
}

// fitsHeader tells whether a metadata value arrives as it is: printable ASCII without spaces at its ends.
func fitsHeader(value string) bool {
	for i := range len(value) {
		if value[i] < 0x20 || value[i] > 0x7e {
			return false
		}
	}
	return strings.TrimSpace(value) == value
}

// hello is the client's half of the handshake for its stream of that number. No stream is open.
func (s *Session) hello(number uint32) *imsdkv1.Hello {
	rooms, more := s.helloRooms(number)
	kinds := s.kinds()
	return &imsdkv1.Hello{
		Version:           handshakeVersion,
		SessionId:         s.id,
		StreamNumber:      number,
		Capabilities:      ownCapabilities(),
		HeartbeatInterval: durationpb.New(s.config.timing.heartbeatInterval),
		HeartbeatTimeout:  durationpb.New(s.config.timing.heartbeatTimeout),
		Rooms:             rooms,
		MoreRooms:         more,
		WindowBytes:       uint64(s.config.receiving.window),
		Limits:            &imsdkv1.Limits{MaxMessageBytes: maxReceiveBytes},
		KindsHash:         kinds.Hash,
		Kinds:             kinds.Summaries,
		Agent:             s.config.agent,
	}
}

// maxHelloRooms is how many bytes of Hello may be rooms: metadata has to stay below 8 KiB, tokens included.
const maxHelloRooms = 2 << 10

// helloRooms are the rooms that a stream goes on with, as many as fit; more: some did not.
func (s *Session) helloRooms(number uint32) (rooms []*imsdkv1.ResumeRoom, more bool) {
	joined := s.rooms.all()
	s.positions.keep(joined)
	left := maxHelloRooms
	for _, room := range s.rooms.inOrder() {
		entry := &imsdkv1.ResumeRoom{Cursor: s.positions.cursor(room), Metadata: joined[room]}
		size := proto.Size(&imsdkv1.Hello{Rooms: []*imsdkv1.ResumeRoom{entry}})
		if size > left {
			more = true
			continue
		}
		left -= size
		entry.Cursor = s.positions.announce(room, number)
		rooms = append(rooms, entry)
	}
	return rooms, more
}

// readWelcome finds the server's half in its header. Nil: a server of today.
func readWelcome(header metadata.MD, log *slog.Logger) *imsdkv1.Welcome {
	values := header.Get(keyWelcome)
	if len(values) == 0 {
		return nil
	}
	welcome := new(imsdkv1.Welcome)
	if err := proto.Unmarshal([]byte(values[0]), welcome); err != nil || welcome.GetVersion() == 0 {
		log.Warn("the server's Welcome is unreadable: it is taken for a server without the handshake")
		return nil
	}
	return welcome
}

// watchHeader waits for the server's header for as long as the stream lives, and switches the contract on if it shows
// one, be it late.
func (s *Session) watchHeader(st *stream) {
	header, err := st.grpc.Header()
	if err != nil || header == nil { // the stream has ended; its reader knows why
		return
	}
	if welcome := readWelcome(header, st.log); welcome != nil {
		if !st.blind.Load() {
			s.agree(st, newContract(welcome))
		}
		if st.blind.Load() {
			s.peer.is(true) // the next stream waits for its header
			st.cancel(errLateHeader)
		}
	}
	close(st.header)
}

// errLateHeader is why a stream ends whose rooms were joined before its server showed that it knows the handshake. A send to
// such a room could not name the log that it went to, and nobody could tell a repeat of it from a new one.
var errLateHeader = &runtime.Error{
	Op: "stream", Code: codes.Unavailable, Message: "the server's header came after rooms were joined without it",
}

// agree switches the contract on, before the reader hands on the first message.
func (s *Session) agree(st *stream, c *contract) {
	for _, room := range c.welcome.GetRooms() { // a send may look up the log as soon as the contract is on
		s.enteredRoom(st, c, room.GetRoomId(), position{epoch: room.GetEpoch(), seq: room.GetHead()})
	}
	st.contract.Store(c)
	s.theirs.Tell(s.kinds(), c.welcome.GetKindsHash(), c.welcome.GetKinds())
	if c.Resume {
		s.teller.attach(st)
	}
	interval := st.timing.heartbeatInterval
	if asked := c.welcome.GetHeartbeatInterval().AsDuration(); asked > 0 && asked < interval {
		interval = max(asked, minHeartbeat)
		st.pinger.SetInterval(interval)
	}
	st.watch.start(interval+st.timing.heartbeatTimeout, st.dead)
}

// minHeartbeat keeps a server from asking for a flood.
const minHeartbeat = 100 * time.Millisecond

// shake waits until it is known what the server knows, or the handshake wait is over. Where a header is expected, its
// absence is no sign of a server of today: then it waits for as long as ctx lets it.
func (st *stream) shake(ctx context.Context, expected bool) error {
	var over <-chan time.Time // never, if it is expected
	if !expected {
		timer := time.NewTimer(min(st.timing.handshakeWait, st.timing.connect/2))
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-st.header:
		return nil
	case <-over:
		return nil
	case <-st.ended:
		return st.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// heartbeat is what the pinger sends. The first one names the default room too: a server before v1.2.0 learns user and
// room from it.
func (s *Session) heartbeat(id, room string) *imv1.MessageRequest {
	return &imv1.MessageRequest{
		MessageId: id,
		UserId:    s.config.user,
		RoomId:    room,
		Type:      imv1.MessageType_MESSAGE_TYPE_HEARTBEAT,
		Content:   []byte("ping"),
	}
}

// errDead is why a stream ends that heard nothing for too long.
var errDead = errors.New("the server is silent: no heartbeat was answered in time")

// late waits, for half of the connect timeout at most, for a header that did not come within the handshake wait. It tells
// whether the server has shown by now that it takes joins on the stream: one that is slow to start a stream refuses
// unary ones until then, which says nothing about the room.
func (st *stream) late(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, st.timing.connect/2)
	defer cancel()
	select {
	case <-st.header:
	case <-st.ended:
	case <-ctx.Done():
	}
	return st.capabilities().StreamRooms
}
