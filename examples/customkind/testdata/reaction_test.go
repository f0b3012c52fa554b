// This file belongs to the copy of the module that TestAnotherKindTakesOneMessageAndOneEnumValue makes.
package main

import (
	"context"
	"testing"

	pollv1 "github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1"
	"github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1/pollv1sdk"
	"github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1/pollv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAReactionTravels(t *testing.T) {
	srv := imtest.NewServer(t, imtest.WithSetup(func(srv *server.Server) error {
		_, err := pollv1server.Register(srv, pollv1server.Hooks{})
		return err
	}))
	got := make(chan string, 1)
	_ = client(t, srv.Dial("bob", session.WithRoom(room)), pollv1sdk.Handlers{
		OnReaction: func(_ context.Context, m *pollv1sdk.ReactionMessage) error {
			got <- m.From + " " + m.Content.GetEmoji()
			return nil
		},
	})
	ann := client(t, srv.Dial("ann", session.WithRoom(room)), pollv1sdk.Handlers{})

	if _, err := ann.SendReaction(t.Context(), room, &pollv1.ReactionContent{Emoji: "👍"}); err != nil {
		t.Fatal(err)
	}
	if reaction := <-got; reaction != "ann 👍" {
		t.Errorf("bob saw %q", reaction)
	}
	_, err := ann.SendReaction(t.Context(), room, &pollv1.ReactionContent{})
	if violations := runtime.Violations(err); len(violations) != 1 || violations[0].Path != "emoji" {
		t.Errorf("a reaction without emoji: %v", err)
	}
}

func client(t *testing.T, session *session.Session, handlers pollv1sdk.Handlers) *pollv1sdk.Client {
	t.Helper()
	made, err := pollv1sdk.NewClient(session, handlers)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return made
}
