package generator_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// peer is a session, or a server, that keeps what it is given.
type peer struct {
	router   runtime.Router
	routes   []runtime.Route
	outgoing []*runtime.Outgoing
}

func (p *peer) Register(registration runtime.Registration) error {
	p.routes = append(p.routes, registration.Routes...)
	return p.router.Add(registration)
}

func (p *peer) Send(_ context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	if _, err := out.Encode(); err != nil {
		return nil, err
	}
	p.outgoing = append(p.outgoing, out)
	return &runtime.Receipt{MessageID: out.ID, RoomID: out.RoomID, Appended: true}, nil
}

func (p *peer) SendAsync(ctx context.Context, out *runtime.Outgoing) *runtime.Pending {
	pending, resolve := runtime.NewPending()
	resolve(p.Send(ctx, out))
	return pending
}

func (p *peer) Publish(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	return p.Send(ctx, out)
}

// receive does what a session does with a message from the stream.
func (p *peer) receive(t *testing.T, in *runtime.Incoming) (runtime.Outcome, error) {
	t.Helper()
	p.router.Decode(in)
	return p.router.Handle(t.Context(), in)
}

// kinds are the names of the kinds that are registered, those without a handler in brackets.
func (p *peer) kinds() []string {
	var names []string
	for _, route := range p.routes {
		name := route.Kind().Name
		if !route.Handled() {
			name = "(" + name + ")"
		}
		names = append(names, name)
	}
	return names
}

func newClient(t *testing.T, handlers imv1sdk.Handlers, opts ...runtime.RegisterOption) (*peer, *imv1sdk.Client) {
	t.Helper()
	session := new(peer)
	client, err := imv1sdk.NewClient(session, handlers, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return session, client
}

func TestSendHandsKindRoomContentAndOptionsToTheSession(t *testing.T) {
	t.Parallel()
	session, client := newClient(t, imv1sdk.Handlers{})
	content := &imv1.TextContent{Text: "hi"}
	receipt, err := client.SendText(t.Context(), "room001", content,
		runtime.WithMessageID("m1"), runtime.WithMetadata(map[string]string{"k": "v"}), runtime.WithAckRequired())
	if err != nil {
		t.Fatal(err)
	}
	if receipt.MessageID != "m1" || receipt.RoomID != "room001" {
		t.Errorf("receipt is %+v", receipt)
	}
	out := session.outgoing[0]
	if out.Type != 1 || out.Kind != &imv1sdk.KindText.Kind || out.RoomID != "room001" || out.ID != "m1" ||
		out.Metadata["k"] != "v" || !out.AckRequired || out.Content != proto.Message(content) {
		t.Errorf("outgoing is %+v", out)
	}
}

func TestSendAsyncHandsTheSameToTheSessionAndKeepsTheResult(t *testing.T) {
	t.Parallel()
	session, client := newClient(t, imv1sdk.Handlers{})
	content := &imv1.TextContent{Text: "hi"}
	receipt, err := client.SendTextAsync(t.Context(), "room001", content, runtime.WithMessageID("m1")).Wait(t.Context())
	if err != nil || receipt.MessageID != "m1" || receipt.RoomID != "room001" {
		t.Errorf("receipt is %+v, %v", receipt, err)
	}
	out := session.outgoing[0]
	if out.Type != 1 || out.Kind != &imv1sdk.KindText.Kind || out.RoomID != "room001" || out.ID != "m1" ||
		out.Content != proto.Message(content) {
		t.Errorf("outgoing is %+v", out)
	}
	if _, err := client.SendAudioAsync(t.Context(), "room001", new(imv1.AudioContent)).Wait(t.Context()); err == nil {
		t.Error("a content that breaks its rules has no error")
	}
}

func TestAContentThatBreaksItsRulesIsRefusedInTheNamesOfTheProto(t *testing.T) {
	t.Parallel()
	session, client := newClient(t, imv1sdk.Handlers{})
	wrong := &imv1.AudioContent{Duration: -1}
	_, err := client.SendAudio(t.Context(), "room001", wrong)
	if len(session.outgoing) > 0 {
		t.Error("the message was sent")
	}
	for _, err := range []error{err, imv1sdk.ValidateAudio(wrong)} {
		var paths []string
		for _, violation := range runtime.Violations(err) {
			paths = append(paths, violation.Path)
		}
		if want := []string{"audio_id", "duration"}; !slices.Equal(paths, want) {
			t.Errorf("%v: violations are of %q, want %q", err, paths, want)
		}
	}
	if err := imv1sdk.ValidateAudio(&imv1.AudioContent{AudioId: "a1"}); err != nil {
		t.Errorf("a valid content: %v", err)
	}
}

func TestAClientRegistersEveryKindOfItsPackage(t *testing.T) {
	t.Parallel()
	session, _ := newClient(t, imv1sdk.Handlers{
		OnText: func(context.Context, *imv1sdk.TextMessage) error { return nil },
		OnJoin: func(context.Context, *imv1sdk.JoinMessage) error { return nil },
	})
	want := []string{"Text", "(Audio)", "(RichText)", "(System)", "Join", "(Leave)"}
	if got := session.kinds(); !slices.Equal(got, want) {
		t.Errorf("kinds are %v, want %v", got, want)
	}
	if _, err := imv1sdk.NewClient(session, imv1sdk.Handlers{}); !errors.Is(err, runtime.ErrKindClaimed) {
		t.Errorf("a second client on the session: %v", err)
	}
}

func TestAHandlerGetsTheTypedContentAndItsErrorComesBack(t *testing.T) {
	t.Parallel()
	failure := errors.New("no")
	var got *imv1sdk.TextMessage
	session, _ := newClient(t, imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			got = m
			return failure
		},
	})
	in := &runtime.Incoming{Envelope: runtime.Envelope{RoomID: "room001", From: "ann", Raw: []byte("hi")}, Type: 1}
	outcome, err := session.receive(t, in)
	if outcome != runtime.Handled || !errors.Is(err, failure) {
		t.Errorf("outcome %v, error %v", outcome, err)
	}
	if got.Content.GetText() != "hi" || got.From != "ann" || string(got.Raw) != "hi" {
		t.Errorf("message is %+v", got)
	}
}

func TestInvalidContentsGoToOnInvalidUnlessTheClientTakesThem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw string
		opts      []runtime.RegisterOption
		want      runtime.Outcome
	}{
		{"a content that breaks a rule", `{"duration":3}`, nil, runtime.Invalid},
		{"the same without validation", `{"duration":3}`, []runtime.RegisterOption{runtime.SkipReceiveValidation()}, runtime.Handled},
		{"one that does not parse", `{`, []runtime.RegisterOption{runtime.SkipReceiveValidation()}, runtime.Invalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var invalid *runtime.Incoming
			session, _ := newClient(t, imv1sdk.Handlers{
				OnAudio: func(context.Context, *imv1sdk.AudioMessage) error { return nil },
				OnInvalid: func(_ context.Context, in *runtime.Incoming) error {
					invalid = in
					return nil
				},
			}, test.opts...)
			outcome, err := session.receive(t, &runtime.Incoming{Envelope: runtime.Envelope{Raw: []byte(test.raw)}, Type: 2})
			if outcome != test.want || err != nil {
				t.Errorf("outcome %v, error %v", outcome, err)
			}
			if told := invalid != nil && invalid.Err != nil && string(invalid.Raw) == test.raw; told != (test.want == runtime.Invalid) {
				t.Errorf("OnInvalid was given %+v", invalid)
			}
		})
	}
}
