package docs_test

import (
	"context"
	"testing"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// startBot is a bot that answers texts.
func startBot(ctx context.Context, s *session.Session) error {
	var im *imv1sdk.Client
	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{
		OnText: func(ctx context.Context, m *imv1sdk.TextMessage) error {
			_, err := im.SendText(ctx, m.RoomID, &imv1.TextContent{Text: "you said " + m.Content.GetText()})
			return err
		},
	})
	if err != nil {
		return err
	}
	return s.Connect(ctx)
}

func TestTheBotAnswers(t *testing.T) {
	t.Parallel()
	srv := imtest.NewServer(t)
	if err := startBot(t.Context(), srv.Dial("bot", session.WithRoom("lobby"))); err != nil {
		t.Fatal(err)
	}

	heard := make(chan string, 1)
	alice := srv.Dial("alice", session.WithRoom("lobby"))
	im, err := imv1sdk.NewClient(alice, imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			heard <- m.Content.GetText()
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := im.SendText(t.Context(), "lobby", &imv1.TextContent{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "you said hello" {
		t.Errorf("the bot said %q", got)
	}
}
