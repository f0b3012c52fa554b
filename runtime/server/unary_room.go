package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// JoinRoom puts all sessions that a user has on this server into a room. Without one it fails with FAILED_PRECONDITION. The join
// hook is asked once; a session whose stream ends meanwhile does not count as long as another one joins.
func (s *Server) JoinRoom(ctx context.Context, request *imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
	s.serve()
	if err := s.rules.join.Check(request); err != nil {
		return nil, err
	}
	streams, err := s.streamsOf(ctx, request.GetUserId())
	if err != nil {
		return nil, err
	}
	response, err := s.joinAll(ctx, streams, request)
	if err != nil {
		s.counts.refused.Add(1)
		return nil, err
	}
	return response, nil
}

// joinAll puts streams of one user, at least one, into a room.
func (s *Server) joinAll(ctx context.Context, streams []*stream, request *imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
	admitted, err := s.admit(ctx, streams[0].key.user, request.GetRoomId(), request.GetMetadata())
	if err != nil {
		return nil, err
	}
	var response *imv1.JoinRoomResponse
	for _, st := range streams {
		err := s.enter(ctx, st, admitted, func(r *room) *imv1.MessageResponse {
			response = r.joinResponse()
			return nil
		})
		if err != nil && !errors.Is(err, errStreamEnded) {
			return nil, err
		}
	}
	if response == nil {
		return nil, errStreamEnded
	}
	return response, nil
}

// LeaveRoom takes all sessions that a user has on this server out of a room. It is no error if they are not in it. Without a
// session it fails with FAILED_PRECONDITION.
func (s *Server) LeaveRoom(ctx context.Context, request *imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error) {
	s.serve()
	if err := s.rules.leave.Check(request); err != nil {
		return nil, err
	}
	streams, err := s.streamsOf(ctx, request.GetUserId())
	if err != nil {
		return nil, err
	}
	for _, st := range streams {
		if r := st.in(request.GetRoomId()); r != nil {
			s.leave(st, r, reasonLeft) //nolint:contextcheck // notices outlive calls
		}
	}
	return &imv1.LeaveRoomResponse{Status: responseStatus(nil)}, nil
}

// streamsOf gives the streams of the user who calls, at least one.
func (s *Server) streamsOf(ctx context.Context, claimed string) ([]*stream, error) {
	if s.streams.isClosed() {
		return nil, errClosing
	}
	user, err := s.mustHaveUser(ctx, claimed)
	if err != nil {
		return nil, err
	}
	streams := s.sessions.of(user)
	if len(streams) == 0 {
		return nil, refuse(codes.FailedPrecondition, "user %q has no stream on this server: open StreamMessages first; behind a "+
			"balancer this call went to another server than the stream, so join and leave on the stream", user)
	}
	return streams, nil
}

// GetRoomInfo tells a room and who is in it. A room that does not exist is NOT_FOUND. Anybody whom the authenticator knows may
// ask; without an authenticator, anybody.
func (s *Server) GetRoomInfo(ctx context.Context, request *imv1.GetRoomInfoRequest) (*imv1.GetRoomInfoResponse, error) {
	s.serve()
	if err := s.rules.roomInfo.Check(request); err != nil {
		return nil, err
	}
	if _, err := s.callerOf(ctx, request.GetUserId()); err != nil {
		return nil, err
	}
	r, err := s.existing(request.GetRoomId())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return &imv1.GetRoomInfoResponse{Status: responseStatus(nil), RoomInfo: r.info(), Users: r.roomUsers()}, nil
}

// roomUsers is who is in the room, in the order of their ids. mu is held.
func (r *room) roomUsers() []*imv1.RoomUser {
	users := make([]*imv1.RoomUser, 0, len(r.members))
	for _, m := range r.members {
		users = append(users, &imv1.RoomUser{
			UserId: m.join.UserID, Nickname: m.join.Nickname, Role: m.join.Role, Muted: m.join.Muted,
			JoinedAt: timestamppb.New(m.joinedAt),
		})
	}
	slices.SortFunc(users, func(a, b *imv1.RoomUser) int { return strings.Compare(a.GetUserId(), b.GetUserId()) })
	return users
}
