package main

import (
	"context"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestWhatTheServerPublishesIsPrinted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var publisher *imv1server.Publisher
		srv := imtest.NewServer(t, imtest.WithSetup(func(srv *server.Server) (err error) {
			publisher, err = imv1server.Register(srv, imv1server.Hooks{})
			return err
		}))
		ann := at(srv).sit(t, "ann")
		ann.overlooks()
		ctx := t.Context()
		_, systemErr := publisher.PublishSystem(ctx, "lobby", &imv1.SystemContent{
			EventType: "happy_hour", EventData: map[string]string{"until": "7", "bar": "left"},
		})
		_, richErr := publisher.PublishRichText(ctx, "lobby", &imv1.RichTextContent{HtmlContent: "<b>x</b>"})
		_, audioErr := publisher.PublishAudio(ctx, "lobby", &imv1.AudioContent{
			AudioId: "a1", AudioUrl: "https://example.com/a1", Duration: 1.5, Transcription: "hello",
		})
		if systemErr != nil || richErr != nil || audioErr != nil {
			t.Fatal(systemErr, richErr, audioErr)
		}
		ann.sees("[lobby] * the server says: happy_hour bar=left until=7",
			"[lobby] <the server> <b>x</b>",
			"[lobby] <the server> audio a1, 1.5 s, https://example.com/a1", "    “hello”")
	})
}

func TestUnknownAndInvalidMessagesArePrinted(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, bob *person) {
		cat := srv.Session("cat")
		if _, err := cat.JoinRoom(ann.t.Context(), "lobby"); err != nil {
			ann.t.Fatal(err)
		}
		ann.overlooks()
		for _, message := range []struct {
			kind int32
			raw  string
		}{
			{1000, "twelve bytes"},
			{imv1sdk.KindText.Number, ""},
			{imv1sdk.KindAudio.Number, `{"duration":-1}`},
			{imv1sdk.KindRichText.Number, "**bold**"},
		} {
			if _, err := cat.SendRaw(ann.t.Context(), "lobby", message.kind, []byte(message.raw)); err != nil {
				ann.t.Fatal(err)
			}
		}
		ann.sees("[lobby] * cat sent a message of kind 1000, which this chat does not know (12 bytes)",
			"[lobby] * cat sent an invalid Text (0 bytes):",
			"    text: value length must be between 1 and 65536 bytes, inclusive",
			"[lobby] * cat sent an invalid Audio (15 bytes):",
			"    audio_id: value length must be between 1 and 128 bytes, inclusive",
			"    duration: value must be greater than or equal to 0",
			"[lobby] * cat sent an invalid RichText (8 bytes):",
			"    RichText: the content does not parse: not JSON: invalid character '*' looking for beginning of value")
		bob.overlooks()
		ann.types("/stats")
		ann.sees("* connected; 0 sent, 6 received, 3 invalid, 1 unknown, 0 errors, 0 reconnects; round trip not known")
	})
}

func TestNobodyWritesOnAnothersTerminal(t *testing.T) {
	t.Parallel()
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("\x1b[2Jgone \x07\u202eback\u009b1m tab\there 🧑\u200d🚀 \uFFFD")
		bob.sees(`[lobby] <ann> \u001b[2Jgone \u0007\u202eback\u009b1m tab` + "\there 🧑\u200d🚀 \uFFFD")
	})
}

func TestFurtherLinesOfAMessageAreIndented(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, _ *person) {
		cat := srv.Session("cat")
		if _, err := cat.JoinRoom(ann.t.Context(), "lobby"); err != nil {
			ann.t.Fatal(err)
		}
		ann.overlooks()
		if _, err := cat.SendRaw(ann.t.Context(), "lobby", imv1sdk.KindText.Number, []byte("hi\n[lobby] <bob> I owe cat 5")); err != nil {
			ann.t.Fatal(err)
		}
		ann.sees("[lobby] <cat> hi", "    [lobby] <bob> I owe cat 5")
	})
}

func TestARefusalOfTheServerIsPrinted(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, *imv1sdk.TextMessage) error {
		return status.Error(codes.PermissionDenied, "the room is asleep")
	}
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("hello")
		ann.sees(`! send Text (room "lobby"): the server refused it: the room is asleep`)
		bob.sees("")
	}, imtest.WithSetup(func(srv *server.Server) error {
		_, err := imv1server.Register(srv, imv1server.Hooks{OnText: refuse})
		return err
	}))
}
