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

// inOrder are the rooms that the session is in, the default room first: a stream's start names it in any case.
func (r *rooms) inOrder() []string {
	all := slices.Sorted(maps.Keys(r.all()))
	if at := slices.Index(all, r.initial); at > 0 {
		all = slices.Insert(slices.Delete(all, at, at+1), 0, r.initial)
	}
	return all
}

func (r *rooms) all() map[string]map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.joined)
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

// take gives the request that a message answers, nil if nobody waits for it any more.
func (r *rooms) take(id string) *roomRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	request := r.waiting[id]
	delete(r.waiting, id)
	return request
}

// answered takes a JOINED or LEFT. It notes at once, in the reader's order, which rooms the session is in and where it
// stands there: a reconnect right after it must know.
func (s *Session) answered(st *stream, message *imv1.MessageResponse) {
	request := s.rooms.take(message.GetMessageId())
	if request == nil {
		return
	}
	switch {
	case !succeeded(message):
	case request.join:
		s.rooms.add(request.room, request.metadata)
		s.enteredRoom(st, st.contract.Load(), request.room, position{epoch: message.GetEpoch(), seq: message.GetSeq()})
	default:
		s.leftRoom(request.room)
	}
	request.answer <- message
}

// enteredRoom takes what the server says of the log of a room that a stream is in.
func (s *Session) enteredRoom(st *stream, c *contract, room string, head position) {
	if !c.known().Resume {
		s.positions.setLog(room, head.epoch)
		return
	}
	from, to, started, cut := s.positions.joined(room, st.number, head)
	switch {
	case started != nil:
		s.saves.moved(room, to)
	case cut != nil:
		a := arrival{place: cut, at: to, before: from}
		s.lanes.put(room, laneWork{run: s.gapWork(a, GapReasonLogCut), windowed: true})
	}
}

// leftRoom forgets a room that the user has left.
func (s *Session) leftRoom(room string) {
	s.rooms.remove(room)
	s.positions.drop(room)
	s.saves.left(room)
}

func succeeded(message *imv1.MessageResponse) bool {
	st := new(imv1.LeaveRoomResponse) // its status has the same number as that of JoinRoomResponse
	return proto.Unmarshal(message.GetContent(), st) == nil && statusError("", "", st.GetStatus()) == nil
}

// joinContent is what a JOIN says of where the session stands, nothing to a server without cursors.
func (s *Session) joinContent(st *stream, room string) ([]byte, error) {
	if !st.capabilities().Resume {
		return nil, nil
	}
	cursor := s.positions.announce(room, st.number)
	if cursor.GetEpoch() == 0 {
		return nil, nil
	}
	return proto.Marshal(&imsdkv1.Join{Cursor: cursor})
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
	frame := &imv1.MessageRequest{
		MessageId: id, UserId: s.config.user, RoomId: request.room,
		Type: imv1.MessageType_MESSAGE_TYPE_LEAVE, Metadata: request.metadata,
	}
	if request.join {
		frame.Type = imv1.MessageType_MESSAGE_TYPE_JOIN
		if frame.Content, err = s.joinContent(st, request.room); err != nil {
			return nil, false, err
		}
	}
	if !st.control.put(frame) {
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
