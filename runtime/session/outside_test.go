package session_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// sickRoom is a server that answers the joins of the room "sick" with a code, once it is not OK.
type sickRoom struct {
	*script
	code  atomic.Uint32
	tries atomic.Int32 // that it answered so
}

func newSickRoom() *sickRoom {
	r := new(sickRoom)
	r.script = &script{stream: func(p *peer) error {
		return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
			code := r.code.Load()
			if m.GetType() != joinType || m.GetRoomId() != "sick" || code == 0 {
				return false, nil
			}
			r.tries.Add(1)
			answer := &imv1.ResponseStatus{Code: int32(code), Message: "the log does not answer"}
			return true, p.push(&imv1.MessageResponse{
				MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), Type: imv1.MessageType_MESSAGE_TYPE_JOINED,
				Content: encode(&imv1.JoinRoomResponse{Status: answer}),
			})
		})
	}}
	return r
}

// outside makes a session of the rooms "sick" and "well" that has come back without the first one.
func (r *sickRoom) outside(t *testing.T, code codes.Code, opts ...session.Option) *session.Session {
	t.Helper()
	n := start(t, r.script)
	s := n.connected(t, opts...)
	for _, room := range []string{"sick", "well"} {
		if _, err := s.JoinRoom(t.Context(), room); err != nil {
			t.Fatal(err)
		}
	}
	r.code.Store(uint32(code))
	restart(t, n, s)
	return s
}

func TestARoomThatCannotBeJoinedJustNowKeepsNobodyFromTheOthers(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{
		codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.Internal, codes.Unknown, codes.Canceled,
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				told := make(chan error, 1000)
				sick := newSickRoom()
				s := sick.outside(t, code, session.WithOnError(func(err error) { told <- err }))
				if _, err := s.SendRaw(t.Context(), "well", int32(imv1.MessageType_MESSAGE_TYPE_TEXT), []byte("hi")); err != nil {
					t.Errorf("a send to the other room: %v", err)
				}
				if got := strings.Join(s.Rooms(), " "); got != "sick well" {
					t.Errorf("rooms: %q", got)
				}
				time.Sleep(time.Minute)
				if tries := sick.tries.Load(); tries < 5 || tries > 60 {
					t.Errorf("it was asked for the room %d times", tries)
				}
				synctest.Wait()
				close(told)
				var last error
				for last = range told { //nolint:revive // the last one counts
				}
				if status.Code(last) != code || !strings.Contains(last.Error(), "connected without 1 of 2 rooms, and asking again: join room") {
					t.Errorf("OnError was told %v", last)
				}
				last30 := func() int {
					before := len(joinsOf(sick.peer(t, sick.streams())))
					time.Sleep(30 * time.Second)
					return len(joinsOf(sick.peer(t, sick.streams()))) - before
				}
				sick.code.Store(0)
				if joins := last30(); joins != 1 {
					t.Errorf("once the room can be joined, the session asks %d times", joins)
				}
				if joins := last30(); joins != 0 {
					t.Errorf("it asks for the room %d times more when it is in it", joins)
				}
			})
		})
	}
}

func TestARoomThatIsLeftWhileItCannotBeJoinedIsNotAskedForAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sick := newSickRoom()
		s := sick.outside(t, codes.Unavailable)
		if _, err := s.LeaveRoom(t.Context(), "sick"); err != nil {
			t.Fatal(err)
		}
		before := sick.tries.Load()
		time.Sleep(5 * time.Minute)
		if after := sick.tries.Load(); after != before {
			t.Errorf("it was asked for the room %d times more", after-before)
		}
		if got := strings.Join(s.Rooms(), " "); got != "well" {
			t.Errorf("rooms: %q", got)
		}
	})
}

func TestAnAnswerThatComesAfterItsCallersTimeSaysWhereTheSessionIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() == joinType || m.GetType() == imv1.MessageType_MESSAGE_TYPE_LEAVE {
					time.Sleep(2 * time.Second)
				}
				return false, nil
			})
		}}
		n := start(t, srv)
		s := n.connected(t)
		impatient := func(call func(ctx context.Context) error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := call(ctx); status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("got %v", err)
			}
			if n := session.WaitingRequests(s); n != 1 {
				t.Errorf("%d requests wait", n)
			}
		}
		impatient(func(ctx context.Context) error { _, err := s.JoinRoom(ctx, "r"); return err })
		time.Sleep(2 * time.Second)
		if got := s.Rooms(); len(got) != 1 {
			t.Errorf("the server has put the session into the room, and Rooms says %q", got)
		}
		impatient(func(ctx context.Context) error { _, err := s.LeaveRoom(ctx, "r"); return err })
		time.Sleep(2 * time.Second)
		if got := s.Rooms(); len(got) != 0 {
			t.Errorf("the server has taken the session out of the room, and Rooms says %q", got)
		}
		impatient(func(ctx context.Context) error { _, err := s.JoinRoom(ctx, "r"); return err })
		restart(t, n, s)
		if waiting := session.WaitingRequests(s); waiting != 0 {
			t.Errorf("%d requests of a stream that has ended wait", waiting)
		}
		time.Sleep(2 * time.Second) // the old server's handler ends too
	})
}
