package session

import (
	"context"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// rooms knows the rooms that the session is in, with what it joined with, and the requests on the stream that wait.
type rooms struct {
	initial string // the default room

	mu      sync.Mutex // held for map operations only
	joined  map[string]map[string]string
	waiting map[string]*roomRequest // by the request's message id
}

// roomRequest is a JOIN or LEAVE that waits for its answer.
type roomRequest struct {
	room     string
	join     bool
	metadata map[string]string
	answer   chan *imv1.MessageResponse // gets one
}

func newRooms(initial string, metadata map[string]string) *rooms {
	r := &rooms{
		initial: initial, joined: make(map[string]map[string]string), waiting: make(map[string]*roomRequest),
	}
	if initial != "" {
		r.joined[initial] = metadata
	}
	return r
}

// defaultRoom is the room that a stream's start names: the default room, unless the session has left it, or has joined it
// with a nickname or the like. That start could not carry it, and the others in the room would see a join without.
func (r *rooms) defaultRoom() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if metadata, ok := r.joined[r.initial]; ok && len(metadata) == 0 {
		return r.initial
	}
	return ""
}

func (r *rooms) all() map[string]map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.joined)
}

// has tells whether the session is in a room.
func (r *rooms) has(room string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.joined[room]
	return ok
}

func (r *rooms) add(room string, metadata map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.joined[room] = metadata
}

func (r *rooms) remove(room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.joined, room)
}

// expect notes a request before it is sent.
func (r *rooms) expect(id string, request *roomRequest) {
	request.answer = make(chan *imv1.MessageResponse, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[id] = request
}

func (r *rooms) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, id)
}

// answer takes a JOINED or LEFT, once: the request that it answers, or nil. It notes at once, in the reader's order, which rooms
// the session is in: a reconnect right after it must know.
func (r *rooms) answer(message *imv1.MessageResponse, ok bool) *roomRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	request := r.waiting[message.GetMessageId()]
	if request == nil {
		return nil
	}
	delete(r.waiting, message.GetMessageId())
	switch {
	case !ok:
	case request.join:
		r.joined[request.room] = request.metadata
	default:
		delete(r.joined, request.room)
	}
	return request
}

// receiveAnswer takes a JOINED or LEFT: where the session stands in the room's log is known before the room's next message.
func (s *Session) receiveAnswer(st *stream, message *imv1.MessageResponse) {
	ok := succeeded(message)
	request := s.rooms.answer(message, ok)
	if request == nil {
		return
	}
	switch {
	case !ok:
	case request.join:
		s.positions.opened(request.room, logAt{message.GetEpoch(), message.GetSeq()}, st.capabilities().Resume)
	default:
		s.leftRoom(request.room)
	}
	request.answer <- message
}

// leftRoom forgets where the session stood in a room.
func (s *Session) leftRoom(room string) {
	s.positions.left(room, false)
	s.cursors.moved(false)
}

func succeeded(message *imv1.MessageResponse) bool {
	st := new(imv1.LeaveRoomResponse) // its status has the same number as that of JoinRoomResponse
	return proto.Unmarshal(message.GetContent(), st) == nil && statusError("", "", st.GetStatus()) == nil
}

// Rooms are the rooms that the session is in, or, while it is not connected, will be in once it is. Sorted.
func (s *Session) Rooms() []string { return slices.Sorted(maps.Keys(s.rooms.all())) }

// onStream sends a JOIN or LEAVE on a stream and waits for its answer. ended: the stream ended first.
func (s *Session) onStream(
	ctx context.Context, st *stream, request *roomRequest,
) (answer *imv1.MessageResponse, ended bool, err error) {
	defer s.awaited.begin()()
	id := s.nextID()
	s.rooms.expect(id, request)
	defer s.rooms.forget(id)
	kind := imv1.MessageType_MESSAGE_TYPE_LEAVE
	if request.join {
		kind = imv1.MessageType_MESSAGE_TYPE_JOIN
	}
	var content []byte
	if cursor := s.positions.ask(request.room); cursor != nil && request.join {
		raw, err := proto.Marshal(&imsdkv1.Join{Cursor: cursor})
		if err != nil {
			return nil, false, &runtime.Error{Code: codes.Internal, Message: "the cursor cannot be encoded", Err: err}
		}
		content = raw
	}
	if !st.control.put(&imv1.MessageRequest{
		MessageId: id, UserId: s.config.user, RoomId: request.room, Type: kind, Metadata: request.metadata, Content: content,
	}) {
		return nil, false, &runtime.Error{Code: codes.ResourceExhausted, Message: "the server does not read"}
	}
	select {
	case answer := <-request.answer:
		return answer, false, nil
	case <-st.ended:
		select { // it may have come right before the end
		case answer := <-request.answer:
			return answer, false, nil
		default:
			return nil, true, st.err
		}
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
}

// unsettled tells whether an error says nothing about a room: the same request may work in a moment.
func unsettled(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted:
		return true
	default:
		return false
	}
}
