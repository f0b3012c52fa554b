package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
)

func TestTheBackendPublishesToEverybodyInARoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, publisher := hooked(t, imv1server.Hooks{}, policy(&imv1.RoomConfig{})) // rules for users do not bind it
		anna, ben := s.today("anna", "r"), s.knowing("ben", "r", 1, 1)
		anna.want(joinRoom)
		receipt, err := publisher.PublishSystem(t.Context(), "r", &imv1.SystemContent{EventType: "shutdown"})
		if err != nil || !receipt.Appended || receipt.Seq != 3 || receipt.Epoch == 0 || receipt.MessageID == "" || receipt.RoomID != "r" {
			t.Fatalf("got %+v, %v", receipt, err)
		}
		for _, p := range []*peer{anna, ben} {
			got := p.want(system)
			if string(got.GetContent()) != `{"event_type":"shutdown"}` || got.GetFromUserId() != "" || got.GetSeq() != receipt.Seq {
				t.Errorf("got %v", got)
			}
		}
		if _, err := publisher.PublishAudio(t.Context(), "r", &imv1.AudioContent{AudioId: "a"}, runtime.WithFrom("anna")); err != nil {
			t.Fatal(err)
		}
		if got := anna.want(audio); got.GetFromUserId() != "anna" {
			t.Errorf("got %v", got)
		}
	})
}

func TestPublishIsIdempotentByItsID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, publisher := hooked(t, imv1server.Hooks{})
		anna := s.today("anna", "r")
		id := runtime.WithMessageID("job-1")
		first, err := publisher.PublishText(t.Context(), "r", &imv1.TextContent{Text: "once"}, id)
		if err != nil {
			t.Fatal(err)
		}
		again, err := publisher.PublishText(t.Context(), "r", &imv1.TextContent{Text: "once"}, id)
		if err != nil || !again.Duplicate || again.Seq != first.Seq {
			t.Errorf("got %+v, %v", again, err)
		}
		_, err = publisher.PublishText(t.Context(), "r", &imv1.TextContent{Text: "other"}, id)
		wantStatus(t, err, codes.AlreadyExists, `"job-1"`)
		anna.wantText("once")
		anna.silent()
	})
}

func TestAPublishThatCannotBeSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, publisher := hooked(t, imv1server.Hooks{})
		s.today("anna", "r")
		_, err := publisher.PublishText(t.Context(), "nowhere", &imv1.TextContent{Text: "x"})
		wantStatus(t, err, codes.NotFound, `publish Text (room "nowhere")`, "there is no room")
		_, err = publisher.PublishText(t.Context(), "r", nil)
		wantStatus(t, err, codes.InvalidArgument, "content is nil")
		_, err = publisher.PublishText(t.Context(), "r", &imv1.TextContent{})
		wantStatus(t, err, codes.InvalidArgument, "text")
		if violations := runtime.Violations(err); len(violations) != 1 || violations[0].Path != "text" {
			t.Errorf("violations: %v", violations)
		}
		for _, control := range []int32{-1, 0, 5, 8, 16, 63} {
			_, err = s.server.Publish(t.Context(), &runtime.Outgoing{RoomID: "r", Type: control})
			wantStatus(t, err, codes.InvalidArgument, "no kind of message")
		}
		_, err = s.server.Publish(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1, ID: string(make([]byte, 129))})
		wantStatus(t, err, codes.InvalidArgument, "message_id")
		_, err = s.server.Publish(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: make([]byte, 2<<20)})
		wantStatus(t, err, codes.ResourceExhausted, "1048576")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = publisher.PublishText(ctx, "r", &imv1.TextContent{Text: "x"})
		wantStatus(t, err, codes.Canceled)
		if _, ok := errors.AsType[*runtime.Error](err); !ok {
			t.Errorf("it is a %T", err)
		}
		s.server.Close()
		_, err = publisher.PublishText(t.Context(), "r", &imv1.TextContent{Text: "x"})
		wantStatus(t, err, codes.Unavailable, "stopping")
	})
}

func TestWhatWasPublishedIsTheCallersAgainAfterwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna := s.today("anna", "r")
		jam := &runtime.Outgoing{RoomID: "r", Type: 1, Raw: make([]byte, 512<<10)} // what comes after it has to wait
		out := &runtime.Outgoing{RoomID: "r", Type: 1, Raw: []byte("mine"), Metadata: map[string]string{"k": "v"}}
		for _, each := range []*runtime.Outgoing{jam, out} {
			if _, err := s.server.Publish(t.Context(), each); err != nil {
				t.Fatal(err)
			}
		}
		out.Raw[0], out.Metadata["k"] = 'x', "x"
		anna.want(text)
		if got := anna.wantText("mine"); got.GetMetadata()["k"] != "v" {
			t.Errorf("got %v", got)
		}
	})
}
