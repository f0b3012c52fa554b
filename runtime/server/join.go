package server

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"google.golang.org/grpc/codes"
)

// Join is a user about to be put into a room. A JoinHook may change Nickname, Role, Muted and Metadata, until it returns. One who
// is in the room already and joins again without metadata, with another session say, is asked about with those that it
// joined with; what the hook makes of them counts from then on.
type Join struct {
	// UserID is the user.
	UserID string
	// RoomID is the room.
	RoomID string
	// Nickname is the name that others see: the metadata entry nickname.
	Nickname string
	// Role is what the user may do: the metadata entry role (user, moderator, admin; anything else is user). The server
	// itself makes no difference between roles; it tells them in GetRoomInfo.
	Role imv1.UserRole
	// Muted users' messages are refused with PERMISSION_DENIED. A client cannot ask for it.
	Muted bool
	// Metadata is what the user joins with. Others see it in the JOIN_ROOM and LEAVE_ROOM notices.
	// Never nil.
	Metadata map[string]string
}

// admission is a join that the operator's hook has let pass. Several streams of the user may use it.
type admission struct {
	join  Join              // as the hook left it; read-only
	asked map[string]string // the metadata before the hook; read-only
	from  *imsdkv1.Cursor   // where its one stream's reader stands; nil: at the log's end
}

var errRoomGone = errors.New("the room has gone")

// answer makes the frame that tells the joining stream of its success. It runs under the room's lock, so that what the
// stream gets after it came after the join.
type answer func(r *room) *imv1.MessageResponse

// joining is a stream's wish to be in a room.
type joining struct {
	roomID   string
	metadata map[string]string
	from     *imsdkv1.Cursor // where the reader stands; nil: at the log's end
}

// join puts a stream into a room: asks the operator, makes the room if need be, tells the others.
func (s *Server) join(ctx context.Context, st *stream, wish joining, tell answer) error {
	admitted, err := s.admit(ctx, st.key.user, wish.roomID, wish.metadata)
	if err != nil {
		return err
	}
	admitted.from = wish.from
	return s.enter(ctx, st, admitted, tell)
}

// enter puts a stream of a user who was admitted into the room.
func (s *Server) enter(ctx context.Context, st *stream, admitted *admission, tell answer) error {
	for {
		r, err := s.roomFor(ctx, admitted.join.RoomID)
		if err != nil {
			return err
		}
		if err := r.askHead(ctx, admitted.from); err != nil {
			s.rooms.removeUnused(r)
			return err
		}
		announced, err := r.join(st, admitted, tell) //nolint:contextcheck // notices outlive streams
		if err == nil {
			await(ctx, announced, logTimeout) // so that what the user says comes behind the notice
			return nil
		}
		s.rooms.removeUnused(r)
		if !errors.Is(err, errRoomGone) { // its last user left between the two calls: make a new one
			return err
		}
	}
}

// admit asks the operator's hook. A join without metadata of a user who is in the room is one with those that it is there
// with: it changes nothing but what the hook says by now.
func (s *Server) admit(ctx context.Context, user, roomID string, metadata map[string]string) (*admission, error) {
	if roomID == "" {
		return nil, refuse(codes.InvalidArgument, "room_id is empty: name the room to join")
	}
	if err := checkID("room_id", roomID); err != nil {
		return nil, err
	}
	if err := checkJoinMetadata(metadata); err != nil {
		return nil, err
	}
	if len(metadata) == 0 {
		metadata = s.joinedWith(user, roomID)
	}
	admitted := &admission{asked: maps.Clone(metadata), join: Join{
		UserID: user, RoomID: roomID, Metadata: make(map[string]string, len(metadata)),
		Nickname: metadata[nicknameKey], Role: roleOf(metadata[roleKey]),
	}}
	request := &admitted.join
	maps.Copy(request.Metadata, metadata)
	if s.config.joinHook == nil {
		return admitted, nil
	}
	var err error
	if panicked := s.guard("join hook", func() { err = s.config.joinHook(ctx, request) }); panicked != nil {
		return nil, panicked
	}
	if err != nil {
		return nil, asStatus(err, codes.PermissionDenied)
	}
	request.UserID, request.RoomID = user, roomID // these are not the hook's to change
	if err := checkText(&imv1.MessageResponse{FromUserId: request.Nickname, Metadata: request.Metadata}); err != nil {
		return nil, refuse(codes.Internal, "the server's join hook left text that is not UTF-8")
	}
	return admitted, nil
}

// joinedWith is the metadata that a user in a room asked to join with.
func (s *Server) joinedWith(user, roomID string) map[string]string {
	r := s.rooms.find(roomID)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.members[user]; m != nil {
		return m.asked
	}
	return nil
}

// maxJoinMetadata bounds what a user joins with, in bytes. Everybody in the room gets it, and the room keeps it.
const maxJoinMetadata = 16 << 10

func checkJoinMetadata(metadata map[string]string) error {
	size := 0
	for key, value := range metadata {
		size += len(key) + len(value)
	}
	if size > maxJoinMetadata {
		return refuse(codes.InvalidArgument,
			"the metadata of the join have %d bytes, %d are allowed: join with less", size, maxJoinMetadata)
	}
	return nil
}

// join puts a stream of a user who was admitted into the room. announced is closed when the others have been told of the user.
func (r *room) join(st *stream, admitted *admission, tell answer) (announced <-chan struct{}, err error) {
	request := &admitted.join
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return nil, errRoomGone
	}
	m, known := r.members[request.UserID]
	if !known {
		if err := r.takesOneMore(); err != nil {
			return nil, err
		}
	}
	if err := st.enter(r); err != nil {
		return nil, err
	}
	r.wanted()
	switch {
	case !known:
		m = &member{join: *request, asked: admitted.asked, joinedAt: time.Now(), streams: make(map[*stream]struct{})}
		r.members[request.UserID] = m
	case len(admitted.asked) > 0 || len(m.asked) == 0:
		m.join, m.asked = *request, admitted.asked
	default: // another session joined with metadata while the hook was asked about none
		m.join.Muted, m.join.Role = request.Muted, request.Role
	}
	m.streams[st] = struct{}{}
	if !known {
		r.noticeJoin(st, m)
	}
	if message := tell(r); message != nil {
		st.put(newFrame(message))
	}
	if r.readers[st] == nil {
		r.readers[st] = r.newReader(st, admitted.from)
		st.out.mark(r.readers[st])
	}
	return m.announced, nil
}

// takesOneMore tells whether another user may join. mu is held.
func (r *room) takesOneMore() error {
	if limit := int(r.config.GetMaxUsers()); limit > 0 && len(r.members) >= limit {
		return refuse(codes.ResourceExhausted, "room %q is full: it takes %d users", r.id, limit)
	}
	return r.srv.checkNotices(r.id)
}

// leave takes a stream out of a room. It is no error if it is not in it.
func (s *Server) leave(st *stream, r *room, reason string) {
	if gone := r.leave(st, reason); gone {
		s.rooms.remove(r)
	}
}

// leave tells whether the room has gone with its last user.
func (r *room) leave(st *stream, reason string) (gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer st.exit(r) // last: until then the stream's end waits for the lock
	if rd := r.readers[st]; rd != nil {
		rd.leave(st.out.isClosed())
		delete(r.readers, st)
	}
	m := r.members[st.key.user]
	if m == nil {
		return false
	}
	if _, ok := m.streams[st]; !ok {
		return false
	}
	delete(m.streams, st)
	if len(m.streams) > 0 {
		return false
	}
	delete(r.members, st.key.user)
	r.noticeLeave(st, m, reason)
	return len(r.members) == 0 && r.emptied()
}

// metadataOf is what a stream's default room is joined with.
func metadataOf(ctx context.Context) map[string]string {
	metadata := make(map[string]string)
	for _, key := range []string{nicknameKey, roleKey} {
		if value := strings.ToValidUTF8(firstValue(ctx, key), "\uFFFD"); value != "" {
			metadata[key] = value
		}
	}
	return metadata
}

// roleOf reads "admin", "ADMIN" and "USER_ROLE_ADMIN" alike.
func roleOf(name string) imv1.UserRole {
	name = strings.ToUpper(name)
	for _, full := range []string{name, "USER_ROLE_" + name} {
		if role := imv1.UserRole(imv1.UserRole_value[full]); role != imv1.UserRole_USER_ROLE_UNSPECIFIED {
			return role
		}
	}
	return imv1.UserRole_USER_ROLE_USER
}
