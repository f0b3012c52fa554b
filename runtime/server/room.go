package server

import (
	"maps"
	"slices"
	"sync"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
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

	// mu makes one order of everything that happens in the room. It is held while a message is appended and put into the
	// readers' queues. Under it may be taken: a stream's mu, an outbox's mu.
	mu         sync.Mutex
	gone       bool // removed; whoever finds it looks for another one
	members    map[string]*member
	readers    map[*stream]struct{}
	log        roomLog
	messages   int64 // without notices
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
		members: make(map[string]*member), readers: make(map[*stream]struct{}),
		log: newRoomLog(s.config.keepMessages, s.config.dedupeWindow),
	}
}

// append numbers a message, keeps it and puts it into every reader's queue but those that skip names. mu is held.
func (r *room) append(e *entry, message *imv1.MessageResponse, skip func(*stream) bool) {
	r.log.append(e)
	message.Seq, message.PrevSeq, message.Epoch = e.seq, e.prev, r.log.epoch
	message.Timestamp = timestamppb.New(e.time)
	r.srv.counts.appended.Add(1)
	f := newFrame(message)
	delivered := uint64(0)
	for reader := range r.readers {
		if !skip(reader) {
			reader.put(f)
			delivered++
		}
	}
	r.srv.counts.delivered.Add(delivered)
}

// state is the room as Welcome tells it. mu is held.
func (r *room) state() *imsdkv1.RoomState {
	return &imsdkv1.RoomState{RoomId: r.id, Epoch: r.log.epoch, Head: r.log.head}
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
