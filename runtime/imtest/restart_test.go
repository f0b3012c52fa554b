package imtest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestEverybodyIsBackInAllRooms(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(srv *imtest.Server){
		"after a restart": (*imtest.Server).Restart,
		"after a cut":     (*imtest.Server).Cut,
		"after ten minutes of being down": func(srv *imtest.Server) {
			srv.Stop()
			time.Sleep(10 * time.Minute)
			srv.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { comeBack(t, disturb) })
		})
	}
}

// guest is one of many sessions of a test.
type guest struct {
	*session.Session

	user   string
	client *imv1sdk.Client
	texts  chan string
}

func comeBack(t *testing.T, disturb func(srv *imtest.Server)) {
	t.Helper()
	ctx := t.Context()
	srv := imtest.NewServer(t)
	rooms := []string{"lobby", "r1", "r2"}
	var guests []*guest
	for i := range 10 {
		g := &guest{user: fmt.Sprint("user", i), texts: make(chan string, 1000)}
		g.Session = srv.Dial(g.user, session.WithRoom("lobby"))
		var err error
		g.client, err = imv1sdk.NewClient(g.Session, imv1sdk.Handlers{
			OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
				g.texts <- m.RoomID + " " + m.Content.GetText()
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		connect(t, g.Session)
		for _, room := range rooms[1:] {
			if _, err := g.JoinRoom(ctx, room, session.WithNickname("nick of "+g.user)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := g.JoinRoom(ctx, "left before"); err != nil {
			t.Fatal(err)
		}
		if _, err := g.LeaveRoom(ctx, "left before"); err != nil {
			t.Fatal(err)
		}
		guests = append(guests, g)
	}

	disturb(srv)
	time.Sleep(30 * time.Second) // the longest backoff is 20
	synctest.Wait()

	direct := imv1.NewIMServiceClient(srv.Conn())
	for _, room := range rooms {
		info, err := direct.GetRoomInfo(ctx, &imv1.GetRoomInfoRequest{RoomId: room})
		if err != nil || len(info.GetUsers()) != len(guests) {
			t.Fatalf("in %s: %v, %v, want all %d", room, info.GetUsers(), err, len(guests))
		}
		for i, user := range info.GetUsers() {
			if room != "lobby" && user.GetNickname() != "nick of "+guests[i].user {
				t.Errorf("%s is in %s as %q", user.GetUserId(), room, user.GetNickname())
			}
		}
	}
	if _, err := direct.GetRoomInfo(ctx, &imv1.GetRoomInfoRequest{RoomId: "left before"}); err == nil {
		t.Error("somebody is in a room that all had left")
	}
	for _, g := range guests {
		for _, room := range rooms {
			if _, err := g.client.SendText(ctx, room, &imv1.TextContent{Text: g.user}); err != nil {
				t.Error(err)
			}
		}
	}
	synctest.Wait()
	for _, g := range guests {
		if got, want := drain(g.texts), everybodyBut(g, guests, rooms); !slices.Equal(got, want) {
			t.Errorf("%s heard %q, want %q", g.user, got, want)
		}
	}
}

func everybodyBut(g *guest, guests []*guest, rooms []string) []string {
	var lines []string
	for _, other := range guests {
		for _, room := range rooms {
			if other != g {
				lines = append(lines, room+" "+other.user)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// drain takes what is there, sorted: rooms have no order among them.
func drain(lines chan string) []string {
	var all []string
	for len(lines) > 0 {
		all = append(all, <-lines)
	}
	slices.Sort(all)
	return all
}
