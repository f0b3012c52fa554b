package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// answering is a server of this project whose answer to JOIN and LEAVE the test decides.
func answering(status func(p *peer, m *imv1.MessageRequest) *imv1.ResponseStatus) *script {
	return &script{stream: func(p *peer) error {
		return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
			response := &imv1.MessageResponse{MessageId: m.GetMessageId(), RoomId: m.GetRoomId()}
			switch m.GetType() {
			case joinType:
				response.Type = imv1.MessageType_MESSAGE_TYPE_JOINED
				response.Content = encode(&imv1.JoinRoomResponse{Status: status(p, m), OnlineUsers: []string{"u"}})
			case leaveType:
				response.Type = imv1.MessageType_MESSAGE_TYPE_LEFT
				response.Content = encode(&imv1.LeaveRoomResponse{Status: status(p, m)})
			default:
				return false, nil
			}
			return true, p.push(response)
		})
	}}
}

func fine(*peer, *imv1.MessageRequest) *imv1.ResponseStatus { return nil }

func TestRoomsAreJoinedAndLeftOnTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := answering(fine)
		s := start(t, srv).connected(t, session.WithRoom("default"))
		response, err := s.JoinRoom(t.Context(), "r", session.WithNickname("Ann"), session.WithRole("moderator"),
			session.WithJoinMetadata(map[string]string{"team": "red"}))
		if err != nil || !slices.Equal(response.GetOnlineUsers(), []string{"u"}) {
			t.Errorf("JoinRoom: %v, %v", response, err)
		}
		join := srv.peer(t, 1).all(joinType)[0]
		if join.GetRoomId() != "r" || join.GetUserId() != "u" || join.GetMessageId() == "" ||
			fmt.Sprint(join.GetMetadata()) != "map[nickname:Ann role:moderator team:red]" {
			t.Errorf("JOIN: %v", join)
		}
		if got := s.Rooms(); !slices.Equal(got, []string{"default", "r"}) {
			t.Errorf("rooms: %q", got)
		}
		if _, err := s.LeaveRoom(t.Context(), "default"); err != nil {
			t.Errorf("LeaveRoom: %v", err)
		}
		if got := s.Rooms(); !slices.Equal(got, []string{"r"}) {
			t.Errorf("rooms: %q", got)
		}
		if len(srv.calls()) != 0 {
			t.Errorf("unary calls: %v", srv.calls())
		}
	})
}

func TestRoomsOfAServerOfTodayAreJoinedAndLeftByCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, _ := pushing(false)
		srv.join = func(r *imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
			return &imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: 200}, OnlineUsers: []string{r.GetUserId()}}, nil
		}
		s := start(t, srv).connected(t)
		response, err := s.JoinRoom(t.Context(), "r", session.WithNickname("Ann"))
		if err != nil || !slices.Equal(response.GetOnlineUsers(), []string{"u"}) {
			t.Errorf("JoinRoom: %v, %v", response, err)
		}
		if _, err := s.LeaveRoom(t.Context(), "r"); err != nil || len(s.Rooms()) != 0 {
			t.Errorf("LeaveRoom: %v; rooms %q", err, s.Rooms())
		}
		if got := srv.calls(); len(got) != 2 || requests[*imv1.JoinRoomRequest](srv)[0].GetMetadata()["nickname"] != "Ann" {
			t.Errorf("calls: %v", got)
		}
	})
}

func TestARefusedJoinChangesNothing(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"on the stream": true, "by a call": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				full := &imv1.ResponseStatus{Code: int32(codes.ResourceExhausted), Message: "the room is full"}
				srv := answering(func(*peer, *imv1.MessageRequest) *imv1.ResponseStatus { return full })
				if !known {
					srv, _ = pushing(false)
					srv.join = func(*imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
						return &imv1.JoinRoomResponse{Status: full}, nil
					}
					srv.leave = func(*imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error) {
						return nil, status.Error(codes.NotFound, "no such room")
					}
				}
				s := start(t, srv).connected(t)
				_, err := s.JoinRoom(t.Context(), "r")
				want := `join room (room "r"): ResourceExhausted: the room is full`
				if status.Code(err) != codes.ResourceExhausted || err.Error() != want || len(s.Rooms()) != 0 {
					t.Errorf("JoinRoom: %v; rooms %q", err, s.Rooms())
				}
				if !known {
					_, err := s.LeaveRoom(t.Context(), "r")
					if want := `leave room (room "r"): NotFound: no such room`; status.Code(err) != codes.NotFound || err.Error() != want {
						t.Errorf("LeaveRoom: %v", err)
					}
				}
			})
		})
	}
}

func TestARoomRequestThatIsWrongLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := answering(fine)
		s := start(t, srv).connected(t)
		many := make(map[string]string)
		for i := range 65 {
			many[strconv.Itoa(i)] = "x"
		}
		long := strings.Repeat("x", 129)
		ctx := t.Context()
		_, empty := s.JoinRoom(ctx, "")
		_, tooLong := s.JoinRoom(ctx, long)
		_, notText := s.JoinRoom(ctx, "\xff")
		_, entries := s.JoinRoom(ctx, "r", session.WithJoinMetadata(many))
		_, badEntry := s.JoinRoom(ctx, "r", session.WithNickname("\xff"))
		_, leave := s.LeaveRoom(ctx, "")
		_, info := s.GetRoomInfo(ctx, long)
		_, transcript := s.GetAudioTranscript(ctx, "")
		for _, test := range []struct {
			err        error
			want, path string
		}{
			{empty, "join room: invalid JoinRoomRequest: room_id: value length must be between 1 and 128 bytes", "room_id"},
			{tooLong, "room_id: value length must be between 1 and 128 bytes", "room_id"},
			{notText, "the request cannot be encoded", ""},
			{entries, "metadata: value must contain no more than 64", "metadata"},
			{badEntry, "the request cannot be encoded", ""},
			{leave, "leave room: invalid LeaveRoomRequest: room_id: ", "room_id"},
			{info, "get room info (room ", "room_id"},
			{transcript, "get audio transcript: invalid TranscriptRequest: audio_id: ", "audio_id"},
		} {
			if test.err == nil || !strings.Contains(test.err.Error(), test.want) || status.Code(test.err) != codes.InvalidArgument {
				t.Errorf("%v\n  does not say %q", test.err, test.want)
				continue
			}
			if found := runtime.Violations(test.err); test.path != "" && (len(found) != 1 || found[0].Path != test.path) {
				t.Errorf("%v: violations %v", test.err, found)
			}
		}
		synctest.Wait()
		if got := srv.peer(t, 1).all(0); len(got) != 1 || len(srv.calls()) != 0 {
			t.Errorf("the server got %v, %v", got, srv.calls())
		}
	})
}

func TestAfterAReconnectTheRoomsAreJoinedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := answering(fine)
		n := start(t, srv)
		s := n.connected(t, session.WithRoom("default"))
		for _, room := range []string{"a", "b", "left"} {
			if _, err := s.JoinRoom(t.Context(), room, session.WithNickname("Ann in "+room)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.LeaveRoom(t.Context(), "left"); err != nil {
			t.Fatal(err)
		}
		restart(t, n, s)
		p := srv.peer(t, srv.streams())
		if got := p.md.Get("room-id"); !slices.Equal(got, []string{"default"}) || p.hello.GetStreamNumber() < 2 ||
			p.hello.GetSessionId() != srv.peer(t, 1).hello.GetSessionId() {
			t.Errorf("metadata %v, Hello %v", p.md, p.hello)
		}
		if got, want := joinsOf(p), []string{"a Ann in a", "b Ann in b"}; !slices.Equal(got, want) {
			t.Errorf("joined again: %q, want %q", got, want)
		}
		if _, err := s.JoinRoom(t.Context(), "default", session.WithNickname("Ann")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.LeaveRoom(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		restart(t, n, s)
		if got, want := joinsOf(srv.peer(t, srv.streams())), []string{"b Ann in b", "default Ann"}; !slices.Equal(got, want) {
			t.Errorf("joined again: %q, want %q: metadata does not carry a nickname", got, want)
		}
		if _, err := s.LeaveRoom(t.Context(), "default"); err != nil {
			t.Fatal(err)
		}
		restart(t, n, s)
		if got := srv.peer(t, srv.streams()).md.Get("room-id"); len(got) != 0 {
			t.Errorf("a default room that was left: %q", got)
		}
	})
}

// restart takes the server away and brings it back, and waits for the session.
func restart(t *testing.T, n *network, s *session.Session) {
	t.Helper()
	n.down()
	if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
		t.Fatal(err)
	}
	n.up()
	if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func joinsOf(p *peer) []string {
	var joins []string
	for _, m := range p.all(joinType) {
		joins = append(joins, m.GetRoomId()+" "+m.GetMetadata()["nickname"])
	}
	slices.Sort(joins)
	return joins
}

func TestAfterAReconnectToAServerOfTodayRoomsAreJoinedByCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, _ := pushing(false)
		n := start(t, srv)
		s := n.connected(t, session.WithRoom("default"))
		for _, room := range []string{"a", "b"} {
			if _, err := s.JoinRoom(t.Context(), room); err != nil {
				t.Fatal(err)
			}
		}
		restart(t, n, s)
		var got []string
		for _, request := range requests[*imv1.JoinRoomRequest](srv)[2:] {
			got = append(got, request.GetRoomId())
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("joined again: %q", got)
		}
	})
}

func TestARoomThatCannotBeJoinedAgainIsReportedAndForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := answering(func(p *peer, m *imv1.MessageRequest) *imv1.ResponseStatus {
			if p.number > 1 && m.GetRoomId() == "a" {
				return &imv1.ResponseStatus{Code: int32(codes.NotFound), Message: "no such room"}
			}
			return nil
		})
		d := new(diary)
		n := start(t, srv)
		s := n.connected(t, session.WithOnError(func(err error) {
			if status.Code(err) != codes.Unavailable { // a try to reconnect
				d.add("%v", err)
			}
		}))
		for _, room := range []string{"a", "b"} {
			if _, err := s.JoinRoom(t.Context(), room); err != nil {
				t.Fatal(err)
			}
		}
		restart(t, n, s)
		expect(t, "OnError", d.take, `join room (room "a"): NotFound: no such room`)
		if got := s.Rooms(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("rooms: %q", got)
		}
	})
}

func TestARejoinThatMayWorkLaterIsTriedAgainWithTheNextStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := answering(func(p *peer, _ *imv1.MessageRequest) *imv1.ResponseStatus {
			if p.number == 2 {
				return &imv1.ResponseStatus{Code: int32(codes.Unavailable), Message: "starting"}
			}
			return nil
		})
		n := start(t, srv)
		s := n.connected(t)
		if _, err := s.JoinRoom(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		restart(t, n, s)
		if srv.streams() != 3 || len(joinsOf(srv.peer(t, 3))) != 1 || !slices.Equal(s.Rooms(), []string{"a"}) {
			t.Errorf("%d streams, rooms %q", srv.streams(), s.Rooms())
		}
	})
}

func TestADefaultRoomThatRefusesFailsConnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := answering(func(*peer, *imv1.MessageRequest) *imv1.ResponseStatus {
			return &imv1.ResponseStatus{Code: int32(codes.PermissionDenied), Message: "members only"}
		})
		s := start(t, srv).session(t, session.WithRoom("房间")) // no header carries it: it is joined by JOIN
		err := s.Connect(t.Context())
		if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "members only") ||
			!strings.Contains(err.Error(), `connect to "passthrough:///script" (room "房间")`) {
			t.Errorf("Connect: %v", err)
		}
	})
}

func TestAJoinGoesOnWithTheNextStreamWhenItsStreamBreaks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if kind := m.GetType(); (kind == joinType && p.number == 1) || (kind == leaveType && p.number == 2) {
					return true, status.Error(codes.Unavailable, "crash")
				}
				if m.GetType() == leaveType {
					return true, p.push(&imv1.MessageResponse{
						MessageId: m.GetMessageId(), Type: imv1.MessageType_MESSAGE_TYPE_LEFT,
						Content: encode(&imv1.LeaveRoomResponse{Status: &imv1.ResponseStatus{Code: int32(codes.NotFound)}}),
					})
				}
				return false, nil
			})
		}}
		s := start(t, srv).connected(t)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil || !slices.Equal(s.Rooms(), []string{"r"}) {
			t.Errorf("JoinRoom: %v; rooms %q", err, s.Rooms())
		}
		if _, err := s.LeaveRoom(t.Context(), "r"); err != nil || len(s.Rooms()) != 0 {
			t.Errorf("LeaveRoom: %v; rooms %q", err, s.Rooms())
		}
	})
}

func TestARoomRequestEndsWithTheRequestTimeoutOrItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) { return m.GetType() == joinType, nil })
		}}
		s := start(t, srv).connected(t, session.WithRequestTimeout(7*time.Second))
		began := time.Now()
		_, err := s.JoinRoom(t.Context(), "r")
		if took := time.Since(began); took != 7*time.Second || !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "no answer within the request timeout of 7s") || status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("after %s: %v", took, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.JoinRoom(ctx, "r"); !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled {
			t.Errorf("cancelled: %v", err)
		}
		failed := make(chan error)
		go func() {
			_, err := s.JoinRoom(t.Context(), "r")
			failed <- err
		}()
		synctest.Wait()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
	})
}
