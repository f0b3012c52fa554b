package session

import (
	"context"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
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
	failed  map[string]*failedJoins // of rooms in joined that could not be joined again
	waiting map[string]*roomRequest // by the request's message id
}

// failedJoins are those of one room, in a row.
type failedJoins struct {
	tries int
	last  failedJoin
}

// roomRequest is a JOIN or LEAVE that waits for its answer.
type roomRequest struct {
	room     string
	join     bool
	rejoin   bool // the session's own wish, which ends when the user leaves the room
	stream   uint32
	metadata map[string]string
	answer   chan *imv1.MessageResponse // gets one
}

func newRooms(initial string, metadata map[string]string) *rooms {
	r := &rooms{
		initial: initial, joined: make(map[string]map[string]string), failed: make(map[string]*failedJoins),
		waiting: make(map[string]*roomRequest),
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
	delete(r.failed, room)
}

// addAgain is add for a room that was joined again. False: the user has left it meanwhile.
func (r *rooms) addAgain(room string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.joined[room]
	delete(r.failed, room)
	return ok
}

func (r *rooms) remove(room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.joined, room)
	delete(r.failed, room)
}

// unable notes that a room could not be joined again, and tells how often in a row.
func (r *rooms) unable(failed failedJoin) (tries int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.joined[failed.room]; !ok {
		return 0
	}
	if r.failed[failed.room] == nil {
		r.failed[failed.room] = new(failedJoins)
	}
	r.failed[failed.room].tries++
	r.failed[failed.room].last = failed
	return r.failed[failed.room].tries
}

// outside are the rooms that could not be joined again, sorted.
func (r *rooms) outside() []failedJoin {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make([]failedJoin, 0, len(r.failed))
	for _, room := range slices.Sorted(maps.Keys(r.failed)) {
		found = append(found, r.failed[room].last)
	}
	return found
}

// expect notes a request before it is sent. It stays until it is answered, though its caller may have given up: then too
// the answer says which rooms the session is in.
func (r *rooms) expect(id string, request *roomRequest) {
	request.answer = make(chan *imv1.MessageResponse, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[id] = request
}

// streamEnded forgets the requests that nothing answers any more.
func (r *rooms) streamEnded(stream uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.waiting, func(_ string, request *roomRequest) bool { return request.stream == stream })
}

// take gives the request that a message answers, nil if there is none.
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
	case request.rejoin && !s.rooms.addAgain(request.room):
		st.control.put(&imv1.MessageRequest{
			MessageId: s.nextID(), UserId: s.config.user, RoomId: request.room, Type: imv1.MessageType_MESSAGE_TYPE_LEAVE,
		})
	case request.rejoin:
		s.enteredRoom(st, st.contract.Load(), request.room, position{epoch: message.GetEpoch(), seq: message.GetSeq()})
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
	if a, cut := s.positions.joined(room, st.number, head); cut {
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

// Rooms are the rooms that the session is in, or will be: once it is connected again, or once the server can put it into
// one that it cannot now, as it was told through WithOnError. Sorted.
func (s *Session) Rooms() []string { return slices.Sorted(maps.Keys(s.rooms.all())) }

// onStream sends a JOIN or LEAVE on a stream and waits for its answer. ended: the stream ended first.
func (s *Session) onStream(
	ctx context.Context, st *stream, request *roomRequest,
) (answer *imv1.MessageResponse, ended bool, err error) {
	defer s.awaited.begin()()
	id := s.nextID()
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
	request.stream = st.number
	s.rooms.expect(id, request)
	if !st.control.put(frame) {
		s.rooms.take(id)
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
