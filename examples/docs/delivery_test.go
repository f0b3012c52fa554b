package docs_test

import (
	"context"
	"log"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func sendAtOnce(ctx context.Context, im *imv1sdk.Client, lines []string) error {
	var sent []*runtime.Pending
	for _, line := range lines {
		sent = append(sent, im.SendTextAsync(ctx, "room001", &imv1.TextContent{Text: line})) // in this order
	}
	for _, pending := range sent {
		receipt, err := pending.Wait(ctx)
		if err != nil {
			return err
		}
		log.Printf("number %d in the room's log", receipt.Seq)
	}
	return nil
}

func onGap() session.Option {
	return session.WithOnGap(func(ctx context.Context, gap session.Gap) {
		log.Printf("%s: messages are missing after %d: %s", gap.RoomID, gap.AfterSeq, gap.Reason)
		reload(ctx, gap.RoomID) // from your database, say
	})
}

func reload(context.Context, string) {}

func remember(ctx context.Context, target, path string) error {
	cursors, err := session.OpenCursorFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = cursors.Close() }()
	s, err := session.Dial(target,
		session.WithUser("bot001"),
		session.WithRoom("room001"),
		session.WithCursorStore(cursors),
	)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Connect(ctx)
}

func newServerWithLog() (*server.Server, error) {
	srv, err := server.New(
		server.WithLog(roomlog.NewMemory(roomlog.Retention{ // what a room keeps for those who come back
			Messages: 50_000,
			Bytes:    16 << 20,
			Age:      6 * time.Hour,
		})),
		server.WithOnDrain(deregister), // takes it out of your service discovery
		server.WithDrainSpread(10*time.Second),
	)
	return srv, err
}

func deregister(context.Context) error { return nil }

func stopInGoodOrder(srv *server.Server, grpcServer *grpc.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return srv.Drain(ctx, grpcServer)
}

func TestManySendsAtOnceHaveTheirReceipts(t *testing.T) {
	t.Parallel()
	s := imtest.NewServer(t).Dial("ann", session.WithRoom("room001"), onGap())
	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sendAtOnce(t.Context(), im, []string{"a", "b", "c"}); err != nil {
		t.Error(err)
	}
}

func TestTheServerOfThePageDrains(t *testing.T) {
	t.Parallel()
	srv, err := newServerWithLog()
	if err != nil {
		t.Fatal(err)
	}
	if err := stopInGoodOrder(srv, grpc.NewServer()); err != nil {
		t.Error(err)
	}
}

func TestASessionMayRememberWhereItStood(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cursors")
	if err := remember(t.Context(), "127.0.0.1:1", path); err == nil { // nobody is there, but the file is
		t.Error("it connected")
	}
	cursors, err := session.OpenCursorFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := cursors.Close(); err != nil {
		t.Error(err)
	}
}
