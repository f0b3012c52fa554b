package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// policy is one answer for every room.
func policy(config *imv1.RoomConfig) server.Option {
	return server.WithRoomPolicy(func(_ context.Context, roomID string) (*imv1.RoomInfo, error) {
		return &imv1.RoomInfo{Name: "name of " + roomID, Description: "d", Config: config}, nil
	})
}

func TestJoinAndLeaveAreToldForTheFirstAndTheLastSessionOfAUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		watcher := s.today("watcher", "r")
		phone := s.knowing("anna", "", 1, 1)
		phone.join("r", map[string]string{"nickname": "Änni", "color": "red"})
		told := watcher.want(joinRoom)
		if told.GetFromUserId() != "anna" || told.GetRoomId() != "r" || string(told.GetContent()) != `{"user_count":2}` ||
			told.GetMetadata()["nickname"] != "Änni" || told.GetMetadata()["color"] != "red" || told.GetMessageId() == "" {
			t.Errorf("told %v", told)
		}
		desk := s.knowing("anna", "r", 2, 1)
		watcher.silent()
		phone.hangUp()
		watcher.silent()
		desk.silent()
		desk.leave("r")
		told = watcher.want(leaveRoom)
		if told.GetFromUserId() != "anna" || string(told.GetContent()) != `{"user_count":1,"reason":"left"}` ||
			told.GetMetadata()["color"] != "red" {
			t.Errorf("told %v", told)
		}
	})
}

func TestAStreamThatBreaksLeavesItsRooms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end    func(p *peer)
		reason string
	}{
		"cancelled":   {func(p *peer) { p.cancel() }, "disconnected"},
		"half-closed": {func(p *peer) { _ = p.rpc.CloseSend() }, "left"}, // as Session.Close does
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t)
				watcher, anna := s.today("watcher", "r"), s.today("anna", "r")
				watcher.want(joinRoom)
				test.end(anna)
				if told := watcher.want(leaveRoom); string(told.GetContent()) != `{"user_count":1,"reason":"`+test.reason+`"}` {
					t.Errorf("told %s", told.GetContent())
				}
			})
		})
	}
}

func TestJoiningTwiceUpdatesTheMetadataWithoutASecondNotice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		watcher, anna := s.today("watcher", "r"), s.knowing("anna", "r", 1, 1)
		watcher.want(joinRoom)
		anna.join("r", map[string]string{"nickname": "Anna", "role": "moderator"})
		anna.join("r", nil) // keeps them
		watcher.silent()
		user := s.users("r")[0]
		if user.GetNickname() != "Anna" || user.GetRole() != imv1.UserRole_USER_ROLE_MODERATOR {
			t.Errorf("user: %v", user)
		}
	})
}

func TestASecondJoinWithoutMetadataIsWhatTheHookSaysOfTheFirstOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var says func(join *server.Join)
		s := start(t, server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			says(join)
			return nil
		}))
		want := func(role imv1.UserRole, isMuted bool) {
			t.Helper()
			if user := s.users("r")[0]; user.GetRole() != role || user.GetMuted() != isMuted || user.GetNickname() != "Anna" {
				t.Errorf("got %v, want %v, muted %v", user, role, isMuted)
			}
		}
		says = func(*server.Join) {}
		anna := s.knowing("anna", "", 1, 1)
		anna.join("r", map[string]string{"nickname": "Anna", "role": "moderator"})
		want(imv1.UserRole_USER_ROLE_MODERATOR, false)
		says = func(join *server.Join) { join.Muted, join.Role = true, imv1.UserRole_USER_ROLE_ADMIN }
		anna.join("r", nil)
		want(imv1.UserRole_USER_ROLE_ADMIN, true)
		anna.say("r", "m", "hear me")
		wantRefused(t, anna.wantReceipt(), codes.PermissionDenied, "muted")
		says = func(join *server.Join) {
			if join.Nickname != "Anna" || join.Metadata["role"] != "moderator" {
				t.Errorf("the hook was asked about %+v", join)
			}
		}
		s.knowing("anna", "r", 2, 1) // another session of hers
		want(imv1.UserRole_USER_ROLE_MODERATOR, false)
		says = func(join *server.Join) { join.Role = imv1.UserRole_USER_ROLE_USER }
		anna.join("r", nil)
		want(imv1.UserRole_USER_ROLE_USER, false)
	})
}

func TestARoomTellsWhatItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := &imv1.RoomConfig{MaxUsers: 5, AllowAudio: true}
		s := start(t, policy(config))
		begin := time.Now()
		anna := s.open("user-id", "anna", "room-id", "r", "nickname", "An", "role", "ADMIN")
		anna.header()
		s.knowing("anna", "r", 2, 1)
		s.today("ben", "r")
		time.Sleep(time.Second)
		anna.say("r", "m", "hi")
		synctest.Wait()
		got, err := s.stub().GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: "r"})
		if err != nil {
			t.Fatal(err)
		}
		info := got.GetRoomInfo()
		if info.GetRoomId() != "r" || info.GetName() != "name of r" || info.GetDescription() != "d" ||
			info.GetConfig().GetMaxUsers() != 5 || info.GetUserCount() != 2 || info.GetMessageCount() != 1 ||
			!info.GetCreatedAt().AsTime().Equal(begin) || !info.GetLastActive().AsTime().Equal(begin.Add(time.Second)) {
			t.Errorf("info: %v", info)
		}
		users := got.GetUsers()
		if len(users) != 2 || users[0].GetUserId() != "anna" || users[0].GetNickname() != "An" ||
			users[0].GetRole() != imv1.UserRole_USER_ROLE_ADMIN || users[1].GetUserId() != "ben" ||
			users[1].GetRole() != imv1.UserRole_USER_ROLE_USER || !users[1].GetJoinedAt().AsTime().Equal(begin) {
			t.Errorf("users: %v", users)
		}
	})
}

func TestAFullRoomTakesNoFurtherUserButFurtherSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, policy(&imv1.RoomConfig{MaxUsers: 1}))
		s.knowing("anna", "r", 1, 1)
		s.knowing("anna", "r", 2, 1).silent()
		wantStatus(t, s.open("user-id", "ben", "room-id", "r").ended(), codes.ResourceExhausted, `room "r" is full`, "1 users")
		_, response := s.knowing("ben", "", 3, 1).join("r", nil)
		if got := response.GetStatus(); codes.Code(got.GetCode()) != codes.ResourceExhausted || response.GetRoomInfo() != nil {
			t.Errorf("got %v", response)
		}
	})
}

func TestARoomMayForbidAudioAndRichText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, policy(&imv1.RoomConfig{}))
		anna := s.knowing("anna", "r", 1, 1)
		anna.send(&imv1.MessageRequest{MessageId: "a", RoomId: "r", Type: audio, Content: []byte(`{"audio_id":"x"}`)})
		wantRefused(t, anna.wantReceipt(), codes.PermissionDenied, `room "r" does not allow audio`)
		anna.send(&imv1.MessageRequest{MessageId: "b", RoomId: "r", Type: richText, Content: []byte(`{}`)})
		wantRefused(t, anna.wantReceipt(), codes.PermissionDenied, `room "r" does not allow rich text`)
		anna.say("r", "c", "text goes")
		wantTaken(t, anna.wantReceipt())
	})
}

func TestByDefaultEveryRoomIsThereAndAllowsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna := s.knowing("anna", "r", 1, 1)
		for _, kind := range []imv1.MessageType{text, audio, richText, 9, 1000} {
			anna.send(&imv1.MessageRequest{RoomId: "r", Type: kind, Content: []byte(`{"audio_id":"x"}`)})
			wantTaken(t, anna.wantReceipt())
		}
	})
}

func TestThePolicyMayRefuseARoom(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		code codes.Code
	}{
		"with a code":    {status.Error(codes.NotFound, "no room like that"), codes.NotFound},
		"without a code": {errors.New("no room like that"), codes.PermissionDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, server.WithRoomPolicy(func(context.Context, string) (*imv1.RoomInfo, error) { return nil, test.err }))
				wantStatus(t, s.open("user-id", "anna", "room-id", "r").ended(), test.code, "no room like that")
				if rooms := s.server.Stats().Rooms; rooms != 0 {
					t.Errorf("%d rooms", rooms)
				}
			})
		})
	}
}

func TestAnEmptyRoomGoesAwayUnlessItIsPersistent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config *imv1.RoomConfig
		after  time.Duration
		stays  bool
	}{
		"at once":                 {&imv1.RoomConfig{}, 0, false},
		"before its idle timeout": {&imv1.RoomConfig{IdleTimeoutSeconds: 60}, 59 * time.Second, true},
		"after its idle timeout":  {&imv1.RoomConfig{IdleTimeoutSeconds: 60}, 61 * time.Second, false},
		"persistent":              {&imv1.RoomConfig{Persistent: true}, 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, policy(test.config))
				s.today("anna", "r").hangUp()
				time.Sleep(test.after)
				synctest.Wait()
				_, err := s.stub().GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: "r"})
				if stays := err == nil; stays != test.stays {
					t.Errorf("stays: %v (%v)", stays, err)
				}
			})
		})
	}
}

func TestAUserWhoComesBackKeepsAnIdleRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, policy(&imv1.RoomConfig{IdleTimeoutSeconds: 60}))
		s.today("anna", "r").hangUp()
		time.Sleep(50 * time.Second)
		anna := s.today("anna", "r")
		time.Sleep(50 * time.Second)
		anna.say("r", "m", "hi")
		anna.silent()
		if info := s.users("r"); len(info) != 1 {
			t.Errorf("users: %v", info)
		}
	})
}

func TestTheLogOutlivesItsRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		first := s.knowing("anna", "r", 1, 1)
		first.say("r", "m", "hi")
		before := first.wantReceipt()
		first.hangUp()
		if s.server.Stats().Rooms != 0 {
			t.Errorf("stats: %+v", s.server.Stats())
		}
		second := s.knowing("anna", "r", 1, 2)
		second.say("r", "m", "hi")
		if after := second.wantReceipt(); !after.GetDuplicate() || after.GetEpoch() != before.GetEpoch() {
			t.Errorf("before %v, after %v", before, after)
		}
	})
}

func TestTheJoinHookMayRefuseOrChangeAJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			switch join.UserID {
			case "mallory":
				return status.Error(codes.PermissionDenied, "not you")
			case "oops":
				return crash(nil)
			case "muted":
				join.Muted = true
			}
			join.Nickname, join.Role = "Dr. "+join.Nickname, imv1.UserRole_USER_ROLE_USER
			join.Metadata["seen"] = "by the hook"
			join.UserID, join.RoomID = "ignored", "ignored"
			return nil
		}))
		watcher := s.today("watcher", "")
		watcher.say("r", "m", "joins by sending")
		wantStatus(t, s.open("user-id", "mallory", "room-id", "r").ended(), codes.PermissionDenied, "not you")
		wantStatus(t, s.open("user-id", "oops", "room-id", "r").ended(), codes.Internal, "join hook failed")
		anna := s.knowing("anna", "", 1, 1)
		anna.join("r", map[string]string{"nickname": "No", "role": "admin"})
		if told := watcher.want(joinRoom); told.GetMetadata()["seen"] != "by the hook" {
			t.Errorf("told %v", told)
		}
		if user := s.users("r")[0]; user.GetNickname() != "Dr. No" || user.GetRole() != imv1.UserRole_USER_ROLE_USER {
			t.Errorf("user: %v", user)
		}
		muted := s.knowing("muted", "r", 2, 1)
		muted.say("r", "m", "hello?")
		wantRefused(t, muted.wantReceipt(), codes.PermissionDenied, `"muted" is muted`)
		if s.server.Stats().Panics != 1 {
			t.Error("the panic was not counted")
		}
	})
}

func TestAnUnknownRoomIsNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		_, err := s.stub().GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: "nowhere"})
		wantStatus(t, err, codes.NotFound, `no room "nowhere"`)
		anna := s.knowing("anna", "", 1, 1)
		anna.say("nowhere", "m", "anybody?")
		wantRefused(t, anna.wantReceipt(), codes.NotFound, `no room "nowhere"`)
	})
}

func TestRolesAreReadInEverySpelling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna := s.knowing("anna", "", 1, 1)
		for name, role := range map[string]imv1.UserRole{
			"admin": imv1.UserRole_USER_ROLE_ADMIN, "Moderator": imv1.UserRole_USER_ROLE_MODERATOR,
			"USER_ROLE_ADMIN": imv1.UserRole_USER_ROLE_ADMIN, "emperor": imv1.UserRole_USER_ROLE_USER,
			"unspecified": imv1.UserRole_USER_ROLE_USER,
		} {
			anna.join("r", map[string]string{"role": name})
			if got := s.users("r")[0].GetRole(); got != role {
				t.Errorf("%s: got %v", name, got)
			}
		}
	})
}
