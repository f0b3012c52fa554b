package runtime_test

import (
	"context"
	"io"
	"maps"
	"testing"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// recorder is a session and a server that keep what they are given.
type recorder struct{ out *runtime.Outgoing }

func (r *recorder) Register(runtime.Registration) error { return nil }

func (r *recorder) Send(_ context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	r.out = out
	return &runtime.Receipt{MessageID: "sent"}, io.EOF
}

func (r *recorder) SendAsync(_ context.Context, out *runtime.Outgoing) *runtime.Pending {
	r.out = out
	pending, resolve := runtime.NewPending()
	resolve(&runtime.Receipt{MessageID: "sent async"}, io.EOF)
	return pending
}

func (r *recorder) Publish(_ context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	r.out = out
	return &runtime.Receipt{MessageID: "published"}, io.EOF
}

func TestSendHandsEverythingToTheSession(t *testing.T) {
	t.Parallel()
	session, kind, content := &recorder{}, textKind(), &imv1.TextContent{Text: "hi"}
	receipt, err := runtime.Send(t.Context(), session, kind, "r1", content, []runtime.SendOption{
		runtime.WithMessageID("m1"), runtime.WithAckRequired(), runtime.WithMetadata(map[string]string{"a": "b"}),
	})
	if receipt.MessageID != "sent" || err != io.EOF { //nolint:errorlint // exactly what the session gave
		t.Errorf("got %+v, %v", receipt, err)
	}
	out := session.out
	if out.Kind != &kind.Kind || out.Type != 1 || out.RoomID != "r1" || out.ID != "m1" || !out.AckRequired ||
		out.Content != content || !maps.Equal(out.Metadata, map[string]string{"a": "b"}) || out.From != "" {
		t.Errorf("got %+v", out)
	}
}

func TestSendAsyncHandsEverythingToTheSession(t *testing.T) {
	t.Parallel()
	session, kind, content := &recorder{}, textKind(), &imv1.TextContent{Text: "hi"}
	pending := runtime.SendAsync(t.Context(), session, kind, "r1", content, []runtime.SendOption{
		runtime.WithMessageID("m1"), runtime.WithAckRequired(), runtime.WithMetadata(map[string]string{"a": "b"}),
	})
	receipt, err := pending.Wait(t.Context())
	if receipt.MessageID != "sent async" || err != io.EOF { //nolint:errorlint // exactly what the session gave
		t.Errorf("got %+v, %v", receipt, err)
	}
	out := session.out
	if out.Kind != &kind.Kind || out.Type != 1 || out.RoomID != "r1" || out.ID != "m1" || !out.AckRequired ||
		out.Content != content || !maps.Equal(out.Metadata, map[string]string{"a": "b"}) || out.From != "" {
		t.Errorf("got %+v", out)
	}
}

func TestPublishHandsEverythingToTheServer(t *testing.T) {
	t.Parallel()
	server, kind, content := &recorder{}, textKind(), &imv1.TextContent{Text: "hi"}
	receipt, err := runtime.Publish(t.Context(), server, kind, "r1", content, []runtime.PublishOption{
		runtime.WithFrom("u1"), runtime.WithMessageID("m1"), runtime.WithAckRequired(),
		runtime.WithMetadata(map[string]string{"a": "b"}),
	})
	if receipt.MessageID != "published" || err != io.EOF { //nolint:errorlint // exactly what the server gave
		t.Errorf("got %+v, %v", receipt, err)
	}
	out := server.out
	if out.Kind != &kind.Kind || out.Type != 1 || out.RoomID != "r1" || out.ID != "m1" || !out.AckRequired ||
		out.Content != content || !maps.Equal(out.Metadata, map[string]string{"a": "b"}) || out.From != "u1" {
		t.Errorf("got %+v", out)
	}
}

func TestWithoutOptionsNothingIsSet(t *testing.T) {
	t.Parallel()
	session := &recorder{}
	_, _ = runtime.Send(t.Context(), session, textKind(), "r1", &imv1.TextContent{}, nil)
	if out := session.out; out.ID != "" || out.From != "" || out.Metadata != nil || out.AckRequired {
		t.Errorf("got %+v", out)
	}
}

func TestMetadataIsCopiedAndMerged(t *testing.T) {
	t.Parallel()
	session := &recorder{}
	first, second := map[string]string{"a": "1", "b": "1"}, map[string]string{"b": "2", "c": "2"}
	_, _ = runtime.Send(t.Context(), session, textKind(), "r1", &imv1.TextContent{}, []runtime.SendOption{
		runtime.WithMetadata(first), runtime.WithMetadata(second), runtime.WithMetadata(nil),
	})
	first["a"], second["c"] = "changed later", "changed later"
	if want := map[string]string{"a": "1", "b": "2", "c": "2"}; !maps.Equal(session.out.Metadata, want) {
		t.Errorf("got %v, want %v", session.out.Metadata, want)
	}
	if len(first) != 2 || len(second) != 2 {
		t.Errorf("the caller's maps were changed to %v and %v", first, second)
	}
}
