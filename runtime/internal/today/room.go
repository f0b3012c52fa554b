package today

import (
	"context"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

type room struct {
	created time.Time
	users   map[string]*member
}

type member struct {
	metadata map[string]string
	joined   time.Time
}

// enter makes a stream known and joins its default room, if it has one.
func (s *Server) enter(t *stream, roomID string) {
	s.mu.Lock()
	s.streams[t] = struct{}{}
	s.mu.Unlock()
	if roomID != "" {
		s.join(t.user, roomID, nil)
	}
}

// exit forgets a stream, and its user's rooms if it was the last one.
func (s *Server) exit(t *stream) {
	s.mu.Lock()
	delete(s.streams, t)
	var left []string
	if !s.hasStream(t.user) {
		for id, in := range s.rooms {
			if _, ok := in.users[t.user]; ok {
				left = append(left, id)
			}
		}
	}
	s.mu.Unlock()
	for _, roomID := range left {
		s.leave(t.user, roomID)
	}
}

// hasStream needs s.mu.
func (s *Server) hasStream(user string) bool {
	for t := range s.streams {
		if t.user == user {
			return true
		}
	}
	return false
}

// join puts a user into a room and tells those in it, with empty content as deployed servers do; the user itself too
// if the server echoes.
func (s *Server) join(user, roomID string, metadata map[string]string) {
	s.mu.Lock()
	in, ok := s.rooms[roomID]
	if !ok {
		in = &room{created: time.Now(), users: map[string]*member{}}
		s.rooms[roomID] = in
	}
	known, was := in.users[user]
	switch {
	case !was:
		in.users[user] = &member{metadata: metadata, joined: time.Now()}
	case metadata != nil:
		known.metadata = metadata
	}
	id := s.newID("join")
	s.mu.Unlock()
	if !was {
		s.fanOut(&imv1.MessageResponse{
			MessageId: id, FromUserId: user, RoomId: roomID, Type: imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM,
			Metadata: metadata, Timestamp: timestamppb.Now(),
		}, s.notTo(user))
	}
}

// leave takes a user out of a room, tells the others, and says whether the user was there.
func (s *Server) leave(user, roomID string) bool {
	s.mu.Lock()
	was := false
	if in, ok := s.rooms[roomID]; ok {
		_, was = in.users[user]
		delete(in.users, user)
	}
	id := s.newID("leave")
	s.mu.Unlock()
	if was {
		s.fanOut(&imv1.MessageResponse{
			MessageId: id, FromUserId: user, RoomId: roomID, Type: imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM,
			Timestamp: timestamppb.Now(),
		}, s.notTo(user))
	}
	return was
}

// JoinRoom joins the user of the request, whether it has a stream or not.
func (s *Server) JoinRoom(_ context.Context, request *imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
	if !s.named("JoinRoom", request.GetUserId()) {
		return &imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: 400, Message: "user_id is required"}}, nil
	}
	s.join(request.GetUserId(), request.GetRoomId(), request.GetMetadata())
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.rooms[request.GetRoomId()]
	return &imv1.JoinRoomResponse{
		Status: s.success(), RoomInfo: in.info(request.GetRoomId()), OnlineUsers: slices.Sorted(maps.Keys(in.users)),
	}, nil
}

// LeaveRoom takes the user of the request out.
func (s *Server) LeaveRoom(_ context.Context, request *imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error) {
	if !s.named("LeaveRoom", request.GetUserId()) {
		return &imv1.LeaveRoomResponse{Status: &imv1.ResponseStatus{Code: 400, Message: "user_id is required"}}, nil
	}
	if !s.leave(request.GetUserId(), request.GetRoomId()) {
		return &imv1.LeaveRoomResponse{Status: &imv1.ResponseStatus{Code: 404, Message: "not in this room"}}, nil
	}
	return &imv1.LeaveRoomResponse{Status: s.success()}, nil
}

// GetRoomInfo tells a room; 404 in the status if there is none, as a number of the service's own.
func (s *Server) GetRoomInfo(
	_ context.Context, request *imv1.GetRoomInfoRequest,
) (*imv1.GetRoomInfoResponse, error) {
	s.named("GetRoomInfo", request.GetUserId())
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.rooms[request.GetRoomId()]
	if !ok {
		return &imv1.GetRoomInfoResponse{Status: &imv1.ResponseStatus{Code: 404, Message: "room not found"}}, nil
	}
	response := &imv1.GetRoomInfoResponse{Status: s.success(), RoomInfo: in.info(request.GetRoomId())}
	for _, user := range slices.Sorted(maps.Keys(in.users)) {
		response.Users = append(response.Users, &imv1.RoomUser{
			UserId: user, Nickname: in.users[user].metadata["nickname"], Role: imv1.UserRole_USER_ROLE_USER,
			JoinedAt: timestamppb.New(in.users[user].joined),
		})
	}
	return response, nil
}

func (r *room) info(id string) *imv1.RoomInfo {
	return &imv1.RoomInfo{
		RoomId: id, Name: "room " + id, UserCount: int32(len(r.users)),
		CreatedAt: timestamppb.New(r.created), LastActive: timestamppb.Now(),
		Config: &imv1.RoomConfig{AllowAudio: true, AllowRichText: true},
	}
}

// named writes down a unary call without a user: a deployed server has only the request to learn it from.
func (s *Server) named(call, user string) bool {
	if user == "" {
		s.addf("server: %s without user_id", call)
	}
	return user != ""
}
