package session

import (
	"context"
	"maps"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

const (
	opJoin  = "join room"
	opLeave = "leave room"
)

// JoinOption is something that a user joins a room with.
type JoinOption interface {
	applyJoin(metadata map[string]string)
}

type joinOption func(metadata map[string]string)

func (o joinOption) applyJoin(metadata map[string]string) { o(metadata) }

// WithNickname joins under a nickname: the metadata's entry "nickname". Default: none.
func WithNickname(nickname string) JoinOption {
	return joinOption(func(metadata map[string]string) { metadata["nickname"] = nickname })
}

// WithRole asks for a role: the metadata's entry "role", "user", "moderator" or "admin" for the roles that the protocol
// names. The server decides. Default: none.
func WithRole(role string) JoinOption {
	return joinOption(func(metadata map[string]string) { metadata["role"] = role })
}

// WithJoinMetadata adds entries of your own; with the others at most 64. The map is copied. Default: none.
func WithJoinMetadata(entries map[string]string) JoinOption {
	return joinOption(func(metadata map[string]string) { maps.Copy(metadata, entries) })
}

// joinMetadata is what the options say, nil if that is nothing.
func joinMetadata(opts []JoinOption) map[string]string {
	if len(opts) == 0 {
		return nil
	}
	entries := make(map[string]string)
	for _, opt := range opts {
		opt.applyJoin(entries)
	}
	if len(entries) == 0 {
		return nil
	}
	return entries
}

// JoinRoom puts the session into a room, and again after every reconnect, with the same options. To a server with the
// handshake it travels on the stream; to one of today it is a unary call. It waits for a live stream, at most for the
// request timeout. Joining a room twice is no error: the second time changes what the user joined with.
//
// If ctx ends before the answer, the server may put the session into the room all the same: once it says so, Rooms has it.
// After a reconnect the room may not be joinable for a while (Unavailable, Internal, …): then the session goes on without it,
// tells WithOnError, and asks again until the server takes or refuses it, or the session leaves the room.
func (s *Session) JoinRoom(ctx context.Context, roomID string, opts ...JoinOption) (*imv1.JoinRoomResponse, error) {
	request := &imv1.JoinRoomRequest{UserId: s.config.user, RoomId: roomID, Metadata: joinMetadata(opts)}
	if err := s.begin(opJoin, roomID, request); err != nil {
		return nil, err
	}
	ctx, cancel := s.requestContext(ctx)
	defer cancel()
	var tried *stream
	for {
		st, err := s.live(ctx, tried)
		if err != nil {
			return nil, s.callError(ctx, opJoin, roomID, err)
		}
		response, again, err := s.join(ctx, st, request, false)
		if !again || err == nil && s.isLive(st) {
			return response, err
		}
		tried = st
	}
}

// join tries it on one stream. again: that stream ended, another one has to be asked; after a unary call also when it
// succeeded, for the server may have put the stream before into the room. rejoin: it is the session's own wish, and the user
// may leave the room meanwhile.
func (s *Session) join(
	ctx context.Context, st *stream, request *imv1.JoinRoomRequest, rejoin bool,
) (response *imv1.JoinRoomResponse, again bool, err error) {
	roomID := request.GetRoomId()
	if !st.capabilities().StreamRooms {
		response, err = s.client.JoinRoom(s.identify(ctx), request)
		err = s.outcome(ctx, opJoin, roomID, response.GetStatus(), err)
		if status.Code(err) == codes.FailedPrecondition && st.late(ctx) {
			return s.join(ctx, st, request, rejoin)
		}
		if err != nil {
			return nil, false, err
		}
		if st.blind.Store(true); st.capabilities().StreamRooms { // since that moment: its answer says what the room's log is
			return s.join(ctx, st, request, rejoin)
		}
		switch {
		case !rejoin:
			s.rooms.add(roomID, request.GetMetadata())
		case !s.rooms.addAgain(roomID):
			_, err = s.client.LeaveRoom(s.identify(ctx), &imv1.LeaveRoomRequest{UserId: s.config.user, RoomId: roomID})
		}
		return response, true, err
	}
	answer, ended, err := s.onStream(ctx, st, &roomRequest{
		room: roomID, join: true, rejoin: rejoin, metadata: request.GetMetadata(),
	})
	if err != nil {
		return nil, ended, s.callError(ctx, opJoin, roomID, err)
	}
	response = new(imv1.JoinRoomResponse)
	if err := proto.Unmarshal(answer.GetContent(), response); err != nil {
		return nil, false, garbled(opJoin, roomID, err)
	}
	if err := statusError(opJoin, roomID, response.GetStatus()); err != nil {
		return nil, false, err
	}
	return response, false, nil
}

// LeaveRoom takes the session out of a room, the way it is joined. If ctx ends before the answer, it may do so all the same.
func (s *Session) LeaveRoom(ctx context.Context, roomID string) (*imv1.LeaveRoomResponse, error) {
	request := &imv1.LeaveRoomRequest{UserId: s.config.user, RoomId: roomID}
	if err := s.begin(opLeave, roomID, request); err != nil {
		return nil, err
	}
	ctx, cancel := s.requestContext(ctx)
	defer cancel()
	var tried *stream
	for {
		st, err := s.live(ctx, tried)
		if err != nil {
			return nil, s.callError(ctx, opLeave, roomID, err)
		}
		response, again, err := s.leave(ctx, st, request)
		if !again || err == nil && s.isLive(st) {
			if code := status.Code(err); tried != nil && (code == codes.NotFound || code == codes.FailedPrecondition) {
				s.leftRoom(roomID) // the try before had left it
				return new(imv1.LeaveRoomResponse), nil
			}
			return response, err
		}
		tried = st
	}
}

// leave tries it on one stream; again is as in join: after a unary call that succeeded, a new stream may have joined the
// room at the same time.
func (s *Session) leave(
	ctx context.Context, st *stream, request *imv1.LeaveRoomRequest,
) (response *imv1.LeaveRoomResponse, again bool, err error) {
	roomID := request.GetRoomId()
	if !st.capabilities().StreamRooms {
		response, err = s.client.LeaveRoom(s.identify(ctx), request)
		if err = s.outcome(ctx, opLeave, roomID, response.GetStatus(), err); err != nil {
			return nil, false, err
		}
		s.leftRoom(roomID)
		return response, true, nil
	}
	answer, ended, err := s.onStream(ctx, st, &roomRequest{room: roomID})
	if err != nil {
		return nil, ended, s.callError(ctx, opLeave, roomID, err)
	}
	response = new(imv1.LeaveRoomResponse)
	if err := proto.Unmarshal(answer.GetContent(), response); err != nil {
		return nil, false, garbled(opLeave, roomID, err)
	}
	return response, false, statusError(opLeave, roomID, response.GetStatus())
}
