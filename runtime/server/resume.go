package server

import (
	"log/slog"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/protobuf/proto"
)

// What a stream's start may join: Hello.rooms has room for about 40 in its 2 KiB. Beyond it the client sends JOINs.
const (
	maxResumes    = 256
	resumesAtOnce = 16
)

// joinAtStart joins what the stream's metadata and its Hello name. It gives the rooms that it is in now; the default
// room's refusal is an error, the others' are told when the client asks again, with a JOIN.
func (st *stream) joinAtStart(roomID string, metadata map[string]string) ([]*imsdkv1.RoomState, error) {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex // guards what follows
		states []*imsdkv1.RoomState
		failed error
	)
	slots := make(chan struct{}, resumesAtOnce)
	for _, wish := range st.wishes(roomID, metadata) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var state *imsdkv1.RoomState
			err := st.srv.join(st.ctx, st, wish, func(r *room) *imv1.MessageResponse {
				state = r.state(wish.from)
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				states = append(states, state)
			case wish.roomID == roomID:
				failed = err
			default:
				st.srv.log.Debug("a room is not resumed", slog.String("user", st.key.user),
					slog.String("room", wish.roomID), slog.Any("error", err))
			}
		})
	}
	wg.Wait()
	return states, failed
}

// wishes are the rooms to join at the start, each once.
func (st *stream) wishes(roomID string, metadata map[string]string) []joining {
	var wishes []joining
	seen := make(map[string]bool)
	for _, resume := range st.resumes[:min(len(st.resumes), maxResumes)] {
		wish := joining{roomID: resume.GetCursor().GetRoomId(), metadata: resume.GetMetadata(), from: resume.GetCursor()}
		if wish.roomID == "" || seen[wish.roomID] {
			continue
		}
		if wish.roomID == roomID && len(wish.metadata) == 0 {
			wish.metadata = metadata
		}
		seen[wish.roomID] = true
		wishes = append(wishes, wish)
	}
	st.resumes = nil
	if roomID != "" && !seen[roomID] {
		wishes = append(wishes, joining{roomID: roomID, metadata: metadata})
	}
	return wishes
}

// takeCursors opens the windows of rooms whose messages the client has handled.
func (st *stream) takeCursors(request *imv1.MessageRequest) error {
	cursors := &imsdkv1.Cursors{}
	if err := proto.Unmarshal(request.GetContent(), cursors); err != nil {
		return err
	}
	for _, cursor := range cursors.GetCursors() {
		if r := st.in(cursor.GetRoomId()); r != nil {
			r.moveCursor(st, roomlog.Cursor{Epoch: cursor.GetEpoch(), Seq: cursor.GetSeq()})
		}
	}
	return nil
}

func (r *room) moveCursor(st *stream, to roomlog.Cursor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rd := r.readers[st]; rd != nil && rd.moved(to) {
		st.out.mark(rd)
	}
}
