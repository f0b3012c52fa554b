package session_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestACKsThatWaitForAStreamComeAfterTheJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		n := start(t, srv)
		release := make(chan struct{})
		s, _ := chat(t, n, imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			<-release
			return nil
		}})
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		message := textMessage("m1", "r", "hi")
		message.AckRequired = true
		push <- message
		synctest.Wait()
		n.down()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		close(release)
		synctest.Wait()
		n.up()
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var got []imv1.MessageType
		for _, m := range srv.peer(t, 2).all(0) {
			got = append(got, m.GetType())
		}
		if want := []imv1.MessageType{imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, joinType, ackType}; !slices.Equal(got, want) {
			t.Errorf("the second stream got %v, want %v", got, want)
		}
	})
}

func TestARoomThatIsLeftDuringAReconnectStaysLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end, left := make(chan struct{}), make(chan struct{})
		srv := &script{stream: func(p *peer) error {
			if err := p.SendHeader(nil); err != nil {
				return err
			}
			if p.number > 1 {
				return p.serve(nil, nil)
			}
			<-end
			return status.Error(codes.Unavailable, "the end")
		}}
		var once sync.Once
		srv.leave = func(*imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error) {
			once.Do(func() { <-left }) // it hangs until the room is joined again
			return new(imv1.LeaveRoomResponse), nil
		}
		s := start(t, srv).connected(t)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := s.LeaveRoom(context.Background(), "r")
			done <- err
		}()
		synctest.Wait()
		close(end)
		time.Sleep(5 * time.Second)
		close(left)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		calls := srv.calls()
		if _, ok := calls[len(calls)-1].(*imv1.LeaveRoomRequest); !ok || len(requests[*imv1.LeaveRoomRequest](srv)) != 2 {
			t.Errorf("the new stream was not taken out of the room: %v", calls)
		}
		if got := s.Rooms(); len(got) != 0 {
			t.Errorf("rooms: %q", got)
		}
	})
}

func TestARoomIsNotForgottenWhileTheHeaderIsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{
			stream: func(p *peer) error {
				if p.number > 1 {
					time.Sleep(3 * time.Second) // an authenticator that is slow
				}
				return p.serve(welcome(), nil)
			},
			join: func(*imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
				return nil, status.Error(codes.FailedPrecondition, "the user has no stream here")
			},
		}
		n := start(t, srv)
		s := n.connected(t)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		restart(t, n, s)
		if got := s.Rooms(); !slices.Equal(got, []string{"r"}) {
			t.Errorf("rooms: %q", got)
		}
		if got := joinsOf(srv.peer(t, 2)); !slices.Equal(got, []string{"r "}) {
			t.Errorf("joined again: %q", got)
		}
	})
}

func TestAServerWithoutHeaderMayRefuseAJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &script{
			stream: func(p *peer) error { <-p.Context().Done(); return nil },
			join: func(*imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
				return nil, status.Error(codes.FailedPrecondition, "not now")
			},
		}).connected(t)
		began := time.Now()
		_, err := s.JoinRoom(t.Context(), "r")
		if took := time.Since(began); status.Code(err) != codes.FailedPrecondition || took > 5*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestAThousandRoomsAreJoinedAgainOverASlowNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() != joinType {
					return false, nil
				}
				go func() {
					time.Sleep(200 * time.Millisecond)
					_ = p.answer(m, true)
				}()
				return true, nil
			})
		}}
		n := start(t, srv)
		s := n.connected(t)
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				if _, err := s.JoinRoom(t.Context(), fmt.Sprint("r", i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		began := time.Now()
		restart(t, n, s)
		if took := time.Since(began); took > 5*time.Second || len(s.Rooms()) != 1000 {
			t.Errorf("back after %s, in %d rooms", took, len(s.Rooms()))
		}
	})
}
