package today

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// Server is a deployed server. It lives until its grpc.Server stops.
type Server struct {
	imv1.UnimplementedIMServiceServer
	violations

	options Options

	mu       sync.Mutex // guards what follows; nobody sends on a stream under it
	nextID   int
	opened   int
	streams  map[*stream]struct{} // those whose user is known
	rooms    map[string]*room
	audios   map[string]*audio
	received []*imv1.MessageRequest
	seen     map[string]struct{} // user and message id of what clients sent
	asked    map[string]struct{} // ids of messages that asked for an ACK
}

// NewServer makes a server without rooms: a room comes into being when somebody joins it or sends to it.
func NewServer(options Options) *Server {
	return &Server{
		options: options,
		streams: map[*stream]struct{}{},
		rooms:   map[string]*room{},
		audios:  map[string]*audio{},
		seen:    map[string]struct{}{},
		asked:   map[string]struct{}{},
	}
}

// Opened tells how many streams were opened so far: a client that stayed connected opened one.
func (s *Server) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Received gives what clients sent of one type on streams, oldest first.
func (s *Server) Received(kind imv1.MessageType) []*imv1.MessageRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []*imv1.MessageRequest
	for _, message := range s.received {
		if message.GetType() == kind {
			of = append(of, message)
		}
	}
	return of
}

// Members gives the users in a room, sorted.
func (s *Server) Members(roomID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in, ok := s.rooms[roomID]; ok {
		return slices.Sorted(maps.Keys(in.users))
	}
	return nil
}

// Push sends a message to everybody in its room, whatever it holds; the server changes nothing in it but AckRequired
// and Repeat, if its options say so.
func (s *Server) Push(message *imv1.MessageResponse) {
	s.fanOut(message, "")
}

// fanOut hands a message to the streams of everybody in its room but one user.
func (s *Server) fanOut(message *imv1.MessageResponse, but string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	message = proto.CloneOf(message)
	if s.options.AckRequired && message.GetMessageId() != "" && isMessage(message.GetType()) {
		message.AckRequired = true
	}
	if message.GetAckRequired() {
		s.asked[message.GetMessageId()] = struct{}{}
	}
	in, ok := s.rooms[message.GetRoomId()]
	if !ok {
		return
	}
	for to := range s.streams {
		if _, member := in.users[to.user]; !member || to.user == but {
			continue
		}
		to.queue(message)
		if s.options.Repeat && message.GetMessageId() != "" {
			to.queue(message)
		}
	}
}

// isMessage tells what users say from notices.
func isMessage(kind imv1.MessageType) bool {
	switch kind {
	case imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM, imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM,
		imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, imv1.MessageType_MESSAGE_TYPE_ACK:
		return false
	default:
		return true
	}
}

// newID needs s.mu.
func (s *Server) newID(what string) string {
	s.nextID++
	return fmt.Sprintf("%s-%d", what, s.nextID)
}

// success is what a deployed server answers when all is well.
func (s *Server) success() *imv1.ResponseStatus {
	return &imv1.ResponseStatus{Code: s.options.Success, Message: "ok"}
}

// notTo is who does not get what user says.
func (s *Server) notTo(user string) string {
	if s.options.Echo {
		return ""
	}
	return user
}

// said is a client's message as it goes to the others.
func (s *Server) said(from string, message *imv1.MessageRequest) *imv1.MessageResponse {
	id := message.GetMessageId()
	if id == "" {
		s.mu.Lock()
		id = s.newID("m")
		s.mu.Unlock()
	}
	return &imv1.MessageResponse{
		MessageId: id, FromUserId: from, RoomId: message.GetRoomId(), Type: message.GetType(),
		Content: message.GetContent(), Metadata: message.GetMetadata(), Timestamp: timestamppb.Now(),
	}
}
