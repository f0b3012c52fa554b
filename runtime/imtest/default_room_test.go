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
		srv.Cut()
		time.Sleep(time.Minute)
		if rooms := strings.Join(ann.Rooms(), " "); rooms != "lobby" {
			t.Errorf("ann is in %q", rooms)
		}
		seen := 0
		for len(joins) > 0 {
			join := <-joins
			if join == "ann as Annika" {
				seen++
			} else if strings.HasPrefix(join, "ann") {
				t.Error("seen:", join)
			}
		}
		if seen == 0 {
			t.Error("nobody saw ann join")
		}
	})
}
