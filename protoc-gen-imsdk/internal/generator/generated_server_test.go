package generator_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
)

func TestAHookChangesOrRefusesWhatAClientSends(t *testing.T) {
	t.Parallel()
	server := new(peer)
	_, err := imv1server.Register(server, imv1server.Hooks{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.Content.GetText() == "spam" {
				return status.Error(codes.PermissionDenied, "no advertising")
			}
			m.Content = &imv1.TextContent{Text: m.Content.GetText() + "!"}
			m.Metadata = map[string]string{"checked": "yes"}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}

	in := &runtime.Incoming{Envelope: runtime.Envelope{Raw: []byte("hi")}, Type: 1}
	if _, err := server.receive(t, in); err != nil {
		t.Fatal(err)
	}
	if text, ok := in.Content.(*imv1.TextContent); !ok || text.GetText() != "hi!" || in.Metadata["checked"] != "yes" {
		t.Errorf("the message is %+v", in)
	}
	refused := &runtime.Incoming{Envelope: runtime.Envelope{Raw: []byte("spam")}, Type: 1}
	if _, err := server.receive(t, refused); status.Code(err) != codes.PermissionDenied {
		t.Errorf("refused with %v", err)
	}
}

func TestAServerRegistersEveryKindOfItsPackage(t *testing.T) {
	t.Parallel()
	server := new(peer)
	admit := func(context.Context, *imv1sdk.AudioMessage) error { return nil }
	if _, err := imv1server.Register(server, imv1server.Hooks{OnAudio: admit}); err != nil {
		t.Fatal(err)
	}
	want := []string{"(Text)", "Audio", "(RichText)", "(System)", "(Join)", "(Leave)"}
	if got := server.kinds(); !slices.Equal(got, want) {
		t.Errorf("kinds are %v, want %v", got, want)
	}
	if _, err := imv1server.Register(server, imv1server.Hooks{}); !errors.Is(err, runtime.ErrKindClaimed) {
		t.Errorf("a second time: %v", err)
	}
}

func TestPublishHandsKindRoomContentAndOptionsToTheServer(t *testing.T) {
	t.Parallel()
	server := new(peer)
	publisher, err := imv1server.Register(server, imv1server.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	content := &imv1.SystemContent{EventType: "room_created"}
	if _, err := publisher.PublishSystem(t.Context(), "room001", content, runtime.WithFrom("admin")); err != nil {
		t.Fatal(err)
	}
	out := server.outgoing[0]
	if out.Type != 4 || out.Kind != &imv1sdk.KindSystem.Kind || out.RoomID != "room001" || out.From != "admin" {
		t.Errorf("outgoing is %+v", out)
	}
	_, err = publisher.PublishText(t.Context(), "room001", &imv1.TextContent{})
	if violations := runtime.Violations(err); len(violations) != 1 || violations[0].Path != "text" {
		t.Errorf("an empty text: %v", err)
	}
}
