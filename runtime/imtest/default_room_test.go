package imtest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestTheDefaultRoomIsJoinedOnceAndWithTheNickname(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		joins := make(chan string, 10)
		watcher := srv.Dial("watcher", session.WithRoom("lobby"))
		if _, err := imv1sdk.NewClient(watcher, imv1sdk.Handlers{
			OnJoin: func(_ context.Context, m *imv1sdk.JoinMessage) error {
				joins <- m.From + " as " + m.Metadata["nickname"]
				return nil
			},
		}); err != nil {
			t.Fatal(err)
		}
		if err := watcher.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		ann := srv.Session("ann", session.WithRoom("lobby", session.WithNickname("Annika")))
		if join := <-joins; join != "ann as Annika" {
			t.Errorf("the watcher saw: %s", join)
		}
		srv.Cut()
		time.Sleep(time.Minute)
		if rooms := strings.Join(ann.Rooms(), " "); rooms != "lobby" {
			t.Errorf("ann is in %q", rooms)
		}
		for len(joins) > 0 { // none, if the watcher came back later than ann
			if join := <-joins; join != "ann as Annika" {
				t.Errorf("the watcher saw, after the cut: %s", join)
			}
		}
	})
}
