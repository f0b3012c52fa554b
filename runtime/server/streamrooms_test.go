package server_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

func TestAJoinOnTheStreamIsAnsweredWithTheRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.today("ben", "r")
		anna := s.knowing("anna", "", 1, 1)
		message, response := anna.join("r", nil)
		if message.GetEpoch() == 0 || message.GetSeq() != 1 || message.GetRoomId() != "r" { // ben's notice; anna's comes after
			t.Errorf("JOINED: %v", message)
		}
		if response.GetStatus().GetCode() != 0 || response.GetRoomInfo().GetUserCount() != 2 ||
			!slices.Equal(response.GetOnlineUsers(), []string{"anna", "ben"}) {
			t.Errorf("response: %v", response)
		}
		anna.say("r", "m", "hi")
		wantTaken(t, anna.wantReceipt())
	})
}

func TestAfterALeaveOnTheStreamNothingMoreComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben, anna := s.today("ben", "r"), s.knowing("anna", "r", 1, 1)
		ben.want(joinRoom)
		if got := anna.leave("r"); got.GetStatus().GetCode() != 0 {
			t.Errorf("got %v", got)
		}
		ben.want(leaveRoom)
		ben.say("r", "m", "gone?")
		ben.silent()
		anna.silent()
		if got := anna.leave("r"); got.GetStatus().GetCode() != 0 {
			t.Errorf("leaving twice: %v", got)
		}
		anna.say("r", "m", "let me in")
		wantRefused(t, anna.wantReceipt(), codes.FailedPrecondition, `not in room "r"`, "join it first")
	})
}

func TestAJoinOrLeaveThatIsWrongIsAnsweredSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna := s.knowing("anna", "", 1, 1)
		_, noRoom := anna.join("", nil)
		if got := noRoom.GetStatus(); codes.Code(got.GetCode()) != codes.InvalidArgument {
			t.Errorf("got %v", got)
		}
		wantWords(t, noRoom.GetStatus().GetMessage(), "room_id is empty")
		_, tooLong := anna.join(strings.Repeat("x", 120), map[string]string{"nickname": "x"})
		if tooLong.GetStatus().GetCode() != 0 {
			t.Errorf("got %v", tooLong)
		}
		anna.send(&imv1.MessageRequest{MessageId: "j", RoomId: strings.Repeat("x", 129), Type: join})
		refused := decode(t, anna.want(joined).GetContent(), &imv1.JoinRoomResponse{}).GetStatus()
		if codes.Code(refused.GetCode()) != codes.InvalidArgument {
			t.Errorf("got %v", refused)
		}
		wantWords(t, refused.GetMessage(), "room_id", "128")
		if got := anna.leave("").GetStatus(); codes.Code(got.GetCode()) != codes.InvalidArgument {
			t.Errorf("got %v", got)
		}
		anna.silent()
	})
}

func TestAStreamIsInSoManyRoomsAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		anna := start(t, server.WithMaxRooms(2)).knowing("anna", "", 1, 1)
		for i := range 2 {
			anna.join(strconv.Itoa(i), nil)
		}
		_, third := anna.join("3", nil)
		if codes.Code(third.GetStatus().GetCode()) != codes.ResourceExhausted {
			t.Errorf("got %v", third)
		}
		wantWords(t, third.GetStatus().GetMessage(), "in 2 rooms", "leave one first")
		anna.leave("1")
		if _, again := anna.join("3", nil); again.GetStatus().GetCode() != 0 {
			t.Errorf("got %v", again)
		}
	})
}

func TestAClientOfTodayIsPutIntoTheRoomThatItSendsTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben, anna := s.today("ben", "r"), s.today("anna", "")
		anna.say("r", "m", "hi")
		ben.want(joinRoom)
		ben.wantText("hi")
		ben.say("r", "m", "hello")
		anna.wantText("hello")
	})
}

func TestAJoinThatFailsLeavesNoRoomBehind(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]*imv1.RoomConfig{"at once": {}, "idle": {IdleTimeoutSeconds: 60}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, server.WithMaxRooms(1), policy(config))
				anna := s.today("anna", "r")
				anna.say("q", "m", "one too many")
				anna.silent()
				time.Sleep(61 * time.Second)
				synctest.Wait()
				if rooms := s.server.Stats().Rooms; rooms != 1 {
					t.Errorf("%d rooms", rooms)
				}
			})
		})
	}
}

func TestAStreamThatEndsWhileItJoinsIsInNoRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithJoinHook(func(context.Context, *server.Join) error {
			time.Sleep(time.Second)
			return nil
		}))
		anna := s.today("anna", "")
		answered := make(chan error, 1)
		go func() {
			_, err := s.stub().JoinRoom(t.Context(), &imv1.JoinRoomRequest{UserId: "anna", RoomId: "r"})
			answered <- err
		}()
		synctest.Wait()
		anna.hangUp()
		wantStatus(t, <-answered, codes.Unavailable, "stream has ended")
		if rooms := s.server.Stats().Rooms; rooms != 0 {
			t.Errorf("%d rooms", rooms)
		}
	})
}

func TestNothingThatWasTakenToBeSentComesAfterALeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.knowing("anna", "r", 1, 1), s.today("ben", "r")
		for range 300 {
			ben.send(&imv1.MessageRequest{RoomId: "r", Type: text, Content: make([]byte, 1000)})
		}
		ben.silent()
		anna.send(&imv1.MessageRequest{MessageId: "l", RoomId: "r", Type: leave}) // while the server waits to send to her
		synctest.Wait()
		anna.wantAfterOthers(left)
		anna.silent()
	})
}
