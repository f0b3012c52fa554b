package server_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestTheHeaderComesBeforeTheClientHasSentAnything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		if header := s.open("user-id", "anna", "room-id", "r").header(); len(header.Get("imsdk-welcome-bin")) != 0 {
			t.Error("a client of today got a Welcome")
		}
		s.open().header() // without a user, too
	})
}

func TestWelcomeTellsWhatTheStreamHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithMaxMessageBytes(5000), server.WithMaxRooms(5), keeping(roomlog.Retention{DedupeWindow: time.Minute}), server.WithWindow(9000))
		_, welcome := s.greet("anna", "r", &imsdkv1.Hello{
			Version: 3, SessionId: 9, Capabilities: allCapabilities(),
			HeartbeatInterval: durationpb.New(time.Hour), HeartbeatTimeout: durationpb.New(2 * time.Second),
		})
		want := []imsdkv1.Capability{
			imsdkv1.Capability_CAPABILITY_RECEIPTS, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS, imsdkv1.Capability_CAPABILITY_RESUME,
			imsdkv1.Capability_CAPABILITY_FLOW_CONTROL, imsdkv1.Capability_CAPABILITY_GO_AWAY, // FRAMES is not built
		}
		if !slices.Equal(welcome.GetCapabilities(), want) {
			t.Errorf("capabilities: %v", welcome.GetCapabilities())
		}
		rooms := welcome.GetRooms()
		if len(rooms) != 1 || rooms[0].GetRoomId() != "r" || rooms[0].GetEpoch() == 0 || rooms[0].GetHead() != 0 {
			t.Errorf("rooms: %v", rooms)
		}
		if welcome.GetVersion() != 1 || welcome.GetUserId() != "anna" || welcome.GetAgent() == "" {
			t.Errorf("got %v", welcome)
		}
		if interval := welcome.GetHeartbeatInterval().AsDuration(); interval != 10*time.Second {
			t.Errorf("interval %v: the server's is the longest", interval)
		}
		if wait := welcome.GetHeartbeatTimeout().AsDuration(); wait != 2*time.Second {
			t.Errorf("timeout %v", wait)
		}
		limits := welcome.GetLimits()
		if limits.GetMaxMessageBytes() != 5000 || limits.GetMaxRooms() != 5 || welcome.GetDedupeWindow().AsDuration() != time.Minute {
			t.Errorf("limits %v, window %v", limits, welcome.GetDedupeWindow())
		}
	})
}

func TestOnlyWhatTheClientNamesIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		p, welcome := s.greet("anna", "r", &imsdkv1.Hello{Version: 1, SessionId: 9})
		if len(welcome.GetCapabilities()) != 0 {
			t.Errorf("capabilities: %v", welcome.GetCapabilities())
		}
		p.say("r", "m", "no receipt wanted")
		p.send(&imv1.MessageRequest{MessageId: "j", RoomId: "q", Type: join}) // not agreed on
		p.silent()
	})
}

func TestAnUnreadableHelloIsNone(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{"garbage": "\xff\xff\xff", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := start(t).open("user-id", "anna", "room-id", "r", "imsdk-hello-bin", raw)
				if len(p.header().Get("imsdk-welcome-bin")) != 0 {
					t.Error("it got a Welcome")
				}
				p.say("r", "m", "served as one of today")
				p.silent()
			})
		})
	}
}

func TestClientsOfTodayGetNoReceiptsAndNoControlFrames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		p := s.today("anna", "r")
		p.say("r", "m1", "fine")
		p.say("", "m2", "no room")
		for _, kind := range []imv1.MessageType{0, 16, join, leave, 26, 63} {
			p.send(&imv1.MessageRequest{MessageId: "x", RoomId: "r", Type: kind})
		}
		p.silent()
		if refused := s.server.Stats().Refused; refused != 7 {
			t.Errorf("%d were refused", refused)
		}
	})
}

func TestANewerStreamOfASessionEndsTheOlderOneFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		watcher := s.today("watcher", "r")
		first := s.knowing("anna", "r", 7, 1)
		watcher.want(joinRoom)
		second := s.knowing("anna", "r", 7, 2)
		wantStatus(t, first.ended(), codes.Aborted, "stream 2 of the same session")
		second.say("r", "m", "still here")
		watcher.wantText("still here") // and nobody was told of a leave
		if streams := s.server.Stats().Streams; streams != 2 {
			t.Errorf("%d streams", streams)
		}
	})
}

func TestAnOlderStreamOfALiveSessionIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		live := s.knowing("anna", "r", 7, 2)
		late := s.open("user-id", "anna", "room-id", "r", "imsdk-hello-bin", marshal(t, &imsdkv1.Hello{
			Version: 1, SessionId: 7, StreamNumber: 1,
		}))
		wantStatus(t, late.ended(), codes.Aborted, "stream 2 of this session is newer")
		live.silent()
	})
}

func TestASessionIDOfAnotherUserEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna := s.knowing("anna", "r", 7, 1)
		s.knowing("mallory", "r", 7, 2)
		anna.want(joinRoom)
		anna.silent()
	})
}

func TestTwoStreamsOfTodayOfOneUserAreTwoSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		one, two := s.today("anna", "r"), s.today("anna", "r")
		one.silent()
		two.silent()
	})
}
