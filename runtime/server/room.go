package server

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// room is one room: who is in it, its log, and which streams read it.
type room struct {
	srv               *Server
	id                string
	name, description string
	config            *imv1.RoomConfig // read-only
	created           time.Time

	// unsubscribe ends what the engine calls; set before anybody else has the room.
	unsubscribe func()

	// mu is never held while the log is asked for something: the engine calls published under a lock of its own. Under mu may
	// be taken: a stream's mu, an outbox's mu.
	mu         sync.Mutex
	gone       bool // removed; whoever finds it looks for another one
	members    map[string]*member
	readers    map[*stream]*reader
	tail       tail
	asked      roomlog.Cursor             // where the log ended when it was last asked: see askHead
	flights    map[roomlog.Cursor]*flight // reads of the log that are going on, by where they begin
	unreadable roomlog.Cursor             // the last message of the log that did not parse
	messages   int64                      // without notices
	lastActive time.Time
	idle       *time.Timer // removes the empty room later; nil: nothing is planned
	idleTimes  uint64      // how often idle was set
}

// member is a user in a room.
type member struct {
	join     Join              // as the hook left it
	asked    map[string]string // the metadata before the hook
	joinedAt time.Time
	streams  map[*stream]struct{}

	announced <-chan struct{} // closed when the others have been told that it has joined
}

// openRoom makes a room and finds the end of its log. The caller ends its subscription.
func (s *Server) openRoom(ctx context.Context, id string, info *imv1.RoomInfo) (*room, error) {
	r := newRoom(s, id, info)
	unsubscribe, err := s.config.engine.Subscribe(ctx, id, r.published)
	if err != nil {
		return nil, logUnreachable(id, err)
	}
	head, err := s.config.engine.Head(ctx, id)
	if err != nil {
		unsubscribe()
		return nil, logUnreachable(id, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsubscribe = unsubscribe
	r.tail.start(head)
	return r, nil
}

func logUnreachable(roomID string, err error) error {
	return refuse(codes.Unavailable, "the log of room %q cannot be reached for now: %v", roomID, err)
}

func newRoom(s *Server, id string, info *imv1.RoomInfo) *room {
	config := info.GetConfig()
	if config == nil {
		config = &imv1.RoomConfig{}
	}
	now := time.Now()
	return &room{
		srv: s, id: id, name: info.GetName(), description: info.GetDescription(),
		config: proto.CloneOf(config), created: now, lastActive: now,
		members: make(map[string]*member), readers: make(map[*stream]*reader), flights: make(map[roomlog.Cursor]*flight),
	}
}

// published takes what was appended to the log, by this server or another one, and wakes those who read it. The engine
// calls it.
func (r *room) published(record roomlog.Record) {
	f, err := r.frameOf(record)
	if err != nil { // a room's id always encodes
		r.srv.log.Error("a gap cannot be encoded", slog.String("room", r.id), slog.Any("error", err))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return
	}
	r.tail.add(f)
	r.srv.asked.note(r.id, f)
	for _, rd := range r.readers {
		if !rd.fetching && rd.fits(rd.bytes, f) {
			rd.st.out.mark(rd)
		}
	}
}

// epoch is the room's log as far as this server knows.
func (r *room) epoch() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tail.epoch
}

// said counts a message that somebody has said.
func (r *room) said(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages++
	r.lastActive = at
}

// askHead asks the log where it ends for a reader that has received more than was published here. An engine over a network may
// be late with that, and to tell such a reader a head behind what it has received would say that the log was cut.
func (r *room) askHead(ctx context.Context, from *imsdkv1.Cursor) error {
	r.mu.Lock()
	late := from.GetEpoch() == r.tail.epoch && from.GetReceivedSeq() > r.tail.head
	r.mu.Unlock()
	if !late {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	head, err := r.srv.config.engine.Head(ctx, r.id)
	if err != nil {
		return logUnreachable(r.id, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = head
	return nil
}

// headFor is the log's end as a client is told it that stands at a cursor: see askHead. Whether the log was cut before the cursor
// itself, reading on from there shows. mu is held.
func (r *room) headFor(from *imsdkv1.Cursor) uint64 {
	head := r.tail.head
	if from.GetEpoch() == r.tail.epoch {
		head = max(head, from.GetSeq())
	}
	if r.asked.Epoch == r.tail.epoch && from.GetReceivedSeq() > head {
		head = max(head, r.asked.Seq)
	}
	return head
}

// state is the room as Welcome tells it. mu is held.
func (r *room) state(from *imsdkv1.Cursor) *imsdkv1.RoomState {
	return &imsdkv1.RoomState{RoomId: r.id, Epoch: r.tail.epoch, Head: r.headFor(from)}
}

// info is the room as a client sees it. mu is held.
func (r *room) info() *imv1.RoomInfo {
	return &imv1.RoomInfo{
		RoomId: r.id, Name: r.name, Description: r.description, Config: r.config,
		CreatedAt: timestamppb.New(r.created), LastActive: timestamppb.New(r.lastActive),
		MessageCount: r.messages, UserCount: int32(len(r.members)),
	}
}

// users is who is in the room, in the order of their ids. mu is held.
func (r *room) users() []string { return slices.Sorted(maps.Keys(r.members)) }

// may tells whether a user may send such a message here. mu is held.
func (r *room) may(user string, kind imv1.MessageType) error {
	m := r.members[user]
	switch {
	case m != nil && m.join.Muted:
		return muted(user, r.id)
	case kind == imv1.MessageType_MESSAGE_TYPE_AUDIO && !r.config.GetAllowAudio():
		return refuse(codes.PermissionDenied, "room %q does not allow audio messages", r.id)
	case kind == imv1.MessageType_MESSAGE_TYPE_RICH_TEXT && !r.config.GetAllowRichText():
		return refuse(codes.PermissionDenied, "room %q does not allow rich text", r.id)
	default:
		return nil
	}
}

func muted(user, roomID string) error {
	return refuse(codes.PermissionDenied, "user %q is muted in room %q", user, roomID)
}
