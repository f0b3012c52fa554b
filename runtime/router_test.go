package runtime_test

import (
	"context"
	"errors"
	"io"
	"testing"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

// routerWith is a router that knows one package.
func routerWith(t *testing.T, registration runtime.Registration) *runtime.Router {
	t.Helper()
	router := new(runtime.Router)
	if err := router.Add(registration); err != nil {
		t.Fatal(err)
	}
	return router
}

// receive leads a message through a router as a session does.
func receive(t *testing.T, router *runtime.Router, in *runtime.Incoming) (runtime.Outcome, error) {
	t.Helper()
	router.Decode(in)
	return router.Handle(t.Context(), in)
}

func TestAMessageReachesTheHandlerOfItsKind(t *testing.T) {
	t.Parallel()
	failure := errors.New("the handler failed")
	var got *runtime.Message[*imv1.TextContent]
	router := routerWith(t, runtime.Registration{Package: "im.v1", Routes: []runtime.Route{
		runtime.On(kindOf[*imv1.AudioContent](2, runtime.EncodingJSON), func(context.Context, *runtime.Message[*imv1.AudioContent]) error {
			t.Error("the handler of another kind was called")
			return nil
		}),
		runtime.On(textKind(), func(_ context.Context, m *runtime.Message[*imv1.TextContent]) error {
			got = m
			return failure
		}),
	}})
	outcome, err := receive(t, router, &runtime.Incoming{
		Type: 1, Envelope: runtime.Envelope{ID: "m1", RoomID: "r1", From: "u1", Raw: []byte("hi")},
	})
	if outcome != runtime.Handled || !errors.Is(err, failure) {
		t.Errorf("got outcome %d, error %v", outcome, err)
	}
	if got == nil || got.ID != "m1" || got.RoomID != "r1" || got.From != "u1" || string(got.Raw) != "hi" {
		t.Fatalf("got %+v", got)
	}
	wantEqual(t, got.Content, &imv1.TextContent{Text: "hi"})
}

func TestWhatAHookChangesIsSeenBehindIt(t *testing.T) {
	t.Parallel()
	router := routerWith(t, runtime.Registration{Package: "im.v1", Routes: []runtime.Route{
		runtime.On(textKind(), func(_ context.Context, m *runtime.Message[*imv1.TextContent]) error {
			m.Metadata = map[string]string{"seen": "yes"}
			m.Content = &imv1.TextContent{Text: "changed"}
			return nil
		}),
	}})
	in := &runtime.Incoming{Type: 1, Envelope: runtime.Envelope{Raw: []byte("hi")}}
	if _, err := receive(t, router, in); err != nil {
		t.Fatal(err)
	}
	if in.Metadata["seen"] != "yes" {
		t.Errorf("the metadata is %v", in.Metadata)
	}
	wantEqual(t, in.Content, &imv1.TextContent{Text: "changed"})
}

func TestAContentThatAnInterceptorMixedUpIsNotHandled(t *testing.T) {
	t.Parallel()
	router := routerWith(t, runtime.Registration{Package: "im.v1", Routes: []runtime.Route{
		runtime.On(textKind(), func(context.Context, *runtime.Message[*imv1.TextContent]) error {
			t.Error("the handler was called")
			return nil
		}),
	}})
	_, err := router.Handle(t.Context(), &runtime.Incoming{Type: 1, Content: &testpb.Empty{}})
	wantError(t, err, "Text: the content is a *testpb.Empty")
}

func TestAKindWithoutAHandlerIsUnhandled(t *testing.T) {
	t.Parallel()
	route := runtime.On(textKind(), nil)
	if route.Handled() || route.Kind().Name != "Text" {
		t.Errorf("the route of %s says that it is handled: %t", route.Kind(), route.Handled())
	}
	router := routerWith(t, runtime.Registration{Package: "im.v1", Routes: []runtime.Route{route}})
	in := &runtime.Incoming{Type: 1, Envelope: runtime.Envelope{Raw: []byte("hi")}}
	outcome, err := receive(t, router, in)
	if outcome != runtime.Unhandled || err != nil || in.Kind != route.Kind() {
		t.Errorf("got outcome %d, error %v, kind %v", outcome, err, in.Kind)
	}
	wantEqual(t, in.Content, &imv1.TextContent{Text: "hi"})
}

func TestAKindThatNobodyRegisteredIsUnknown(t *testing.T) {
	t.Parallel()
	for name, router := range map[string]*runtime.Router{
		"no package at all": {},
		"another kind":      routerWith(t, runtime.Registration{Routes: []runtime.Route{runtime.On(textKind(), nil)}}),
	} {
		in := &runtime.Incoming{Type: 4711, Envelope: runtime.Envelope{Raw: []byte("hi")}}
		outcome, err := receive(t, router, in)
		if outcome != runtime.Unknown || err != nil || in.Kind != nil || in.Content != nil || string(in.Raw) != "hi" {
			t.Errorf("%s: got outcome %d, error %v, message %+v", name, outcome, err, in)
		}
		if router.Kind(4711) != nil {
			t.Errorf("%s: the router has a kind for it", name)
		}
	}
}

func TestInvalidContentGoesToOnInvalidWithErrorAndBytes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ raw, want string }{
		"does not parse": {"\xff", "Text: the content does not parse: text: invalid UTF-8"},
		"breaks a rule":  {"", "Text: invalid content: text: value length must be between 1 and 65536 bytes, inclusive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *runtime.Incoming
			router := routerWith(t, runtime.Registration{
				Package: "im.v1",
				Routes: []runtime.Route{runtime.On(textKind(), func(context.Context, *runtime.Message[*imv1.TextContent]) error {
					t.Error("the handler was called")
					return nil
				})},
				OnInvalid: func(_ context.Context, in *runtime.Incoming) error {
					got = in
					return io.EOF
				},
			})
			outcome, err := receive(t, router, &runtime.Incoming{Type: 1, Envelope: runtime.Envelope{Raw: []byte(test.raw)}})
			if outcome != runtime.Invalid || !errors.Is(err, io.EOF) {
				t.Errorf("got outcome %d, error %v", outcome, err)
			}
			if got == nil || got.Content != nil || string(got.Raw) != test.raw || got.Kind.Name != "Text" {
				t.Fatalf("got %+v", got)
			}
			wantError(t, got.Err, test.want)
		})
	}
}

func TestInvalidContentWithoutOnInvalidIsItsOwnError(t *testing.T) {
	t.Parallel()
	router := routerWith(t, runtime.Registration{Routes: []runtime.Route{runtime.On(textKind(), nil)}})
	in := &runtime.Incoming{Type: 1}
	outcome, err := receive(t, router, in)
	if outcome != runtime.Invalid || err == nil || !errors.Is(err, in.Err) {
		t.Errorf("got outcome %d, error %v", outcome, err)
	}
}

func TestSkipValidationSwitchesOffTheRulesAndNotTheParser(t *testing.T) {
	t.Parallel()
	router := routerWith(t, runtime.Registration{
		SkipValidation: true,
		Routes: []runtime.Route{
			runtime.On(textKind(), func(context.Context, *runtime.Message[*imv1.TextContent]) error { return nil }),
		},
	})
	if outcome, err := receive(t, router, &runtime.Incoming{Type: 1}); outcome != runtime.Handled || err != nil {
		t.Errorf("an empty text: got outcome %d, error %v", outcome, err)
	}
	in := &runtime.Incoming{Type: 1, Envelope: runtime.Envelope{Raw: []byte("\xff")}}
	if outcome, _ := receive(t, router, in); outcome != runtime.Invalid {
		t.Errorf("bytes that are no text: got outcome %d", outcome)
	}
}

func TestAKindIsClaimedOnce(t *testing.T) {
	t.Parallel()
	poll, vote := kindOf[*testpb.Raw](1000, runtime.EncodingProto), kindOf[*testpb.Empty](1000, runtime.EncodingProto)
	poll.Name, vote.Name = "Poll", "Vote"

	router := routerWith(t, runtime.Registration{Package: "a.v1", Routes: []runtime.Route{runtime.On(poll, nil)}})
	err := router.Add(runtime.Registration{
		Package: "b.v1", Routes: []runtime.Route{runtime.On(textKind(), nil), runtime.On(vote, nil)},
	})
	wantError(t, err, "kind is claimed twice: 1000 is Poll of a.v1 and Vote of b.v1")
	if !errors.Is(err, runtime.ErrKindClaimed) {
		t.Error("errors.Is does not find ErrKindClaimed")
	}
	if router.Kind(1) != nil {
		t.Error("a part of the refused package was taken")
	}
	if router.Kind(1000) != &poll.Kind {
		t.Error("the first package has lost its kind")
	}

	err = new(runtime.Router).Add(runtime.Registration{
		Package: "a.v1", Routes: []runtime.Route{runtime.On(poll, nil), runtime.On(vote, nil)},
	})
	wantError(t, err, "kind is claimed twice: 1000 is Poll of a.v1 and Vote of a.v1")
}

func TestAPackageIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	registration := runtime.Registration{Package: "im.v1", Routes: []runtime.Route{runtime.On(textKind(), nil)}}
	err := routerWith(t, registration).Add(registration)
	wantError(t, err,
		"kind is claimed twice: Text (1) of im.v1 is registered already: register a package once, with all its handlers")
	if !errors.Is(err, runtime.ErrKindClaimed) {
		t.Error("errors.Is does not find ErrKindClaimed")
	}
}

func TestSeveralPackagesShareARouter(t *testing.T) {
	t.Parallel()
	router := routerWith(t, runtime.Registration{Package: "im.v1", Routes: []runtime.Route{runtime.On(textKind(), nil)}})
	poll := kindOf[*testpb.Raw](1000, runtime.EncodingRaw)
	handled := false
	if err := router.Add(runtime.Registration{Package: "a.v1", SkipValidation: true, Routes: []runtime.Route{
		runtime.On(poll, func(context.Context, *runtime.Message[*testpb.Raw]) error {
			handled = true
			return nil
		}),
	}}); err != nil {
		t.Fatal(err)
	}
	if outcome, err := receive(t, router, &runtime.Incoming{Type: 1000}); outcome != runtime.Handled || err != nil || !handled {
		t.Errorf("the second package's kind: got outcome %d, error %v", outcome, err)
	}
	if outcome, _ := receive(t, router, &runtime.Incoming{Type: 1}); outcome != runtime.Invalid {
		t.Errorf("the second package's SkipValidation has reached the first one: got outcome %d", outcome)
	}
}

func TestARouteIsMadeWithOn(t *testing.T) {
	t.Parallel()
	err := new(runtime.Router).Add(runtime.Registration{Package: "a.v1", Routes: []runtime.Route{{}}})
	wantError(t, err, "a route of a.v1 has no kind: make it with On")
}
