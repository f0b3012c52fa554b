package imtest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/internal/today"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// No header carries these as they are: the first message tells them.
const (
	unicodeUser = "Jürgen 王"
	unicodeRoom = "Küche"
)

func TestIdsThatNoHeaderCarriesReachOurServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		var heard recorder
		alice := srv.Dial("alice", append(heard.told(), session.WithRoom(unicodeRoom))...)
		record(t, alice, &heard)
		connect(t, alice)
		user := srv.Session(unicodeUser, session.WithRoom(unicodeRoom))
		if _, err := user.JoinRoom(t.Context(), "garden"); err != nil {
			t.Error(err)
		}
		if receipt, err := user.SendRaw(t.Context(), unicodeRoom, int32(textType), []byte("hi")); err != nil || !receipt.Appended {
			t.Errorf("%+v, %v", receipt, err)
		}
		synctest.Wait()
		heard.expect(t, "join "+unicodeUser+"@"+unicodeRoom+" ", "text "+unicodeUser+"@"+unicodeRoom+" hi")
		srv.Restart()
		time.Sleep(40 * time.Second)
		for _, room := range []string{unicodeRoom, "garden"} {
			info, err := user.GetRoomInfo(t.Context(), room)
			if err != nil || !slices.ContainsFunc(info.GetUsers(), func(u *imv1.RoomUser) bool { return u.GetUserId() == unicodeUser }) {
				t.Errorf("in %s after a restart: %v, %v", room, info.GetUsers(), err)
			}
		}
	})
}

func TestIdsThatNoHeaderCarriesReachDeployedServers(t *testing.T) {
	t.Parallel()
	for name, options := range deployedServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := deploy(t, options)
				user, err := session.Dial("passthrough:///deployed", session.WithUser(unicodeUser),
					session.WithRoom(unicodeRoom), session.WithDialOptions(d.dialer()))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = user.Close() })
				connect(t, user)
				if _, err := user.SendRaw(t.Context(), unicodeRoom, int32(textType), []byte("hi")); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				checkUnicode(t, d.srv)
			})
		})
	}
}

func checkUnicode(t *testing.T, srv *today.Server) {
	t.Helper()
	if members := srv.Members(unicodeRoom); !slices.Equal(members, []string{unicodeUser}) {
		t.Errorf("in the room: %q", members)
	}
	if texts := srv.Received(textType); len(texts) != 1 || texts[0].GetUserId() != unicodeUser {
		t.Errorf("texts: %v", texts)
	}
	if violations := srv.Violations(); len(violations) > 0 {
		t.Errorf("violations: %q", violations)
	}
}
