package runtime_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

func TestAKindTellsWhatItIs(t *testing.T) {
	t.Parallel()
	kind := textKind()
	if got := kind.String(); got != "Text (1)" {
		t.Errorf("got %q", got)
	}
	if got := kind.Message(); got != "im.v1.TextContent" {
		t.Errorf("got %q", got)
	}
	if _, ok := kind.New().(*imv1.TextContent); !ok {
		t.Errorf("a new content is a %T", kind.New())
	}
}

func TestNilIsNoContent(t *testing.T) {
	t.Parallel()
	kind := textKind()
	var typedNil *imv1.TextContent
	for name, content := range map[string]proto.Message{"nil": nil, "a nil pointer": typedNil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantError(t, kind.Check(content), "Text: the content is nil")
			_, err := kind.Encode(content)
			wantError(t, err, "Text: the content is nil")
			_, err = (&runtime.Outgoing{Kind: &kind.Kind, Content: content}).Encode()
			wantError(t, err, "Text: the content is nil")
		})
	}
}

func TestAnotherKindsContentIsRefused(t *testing.T) {
	t.Parallel()
	const want = "Test: the content is a *testpb.Raw, not a *testpb.Empty"
	kind := kindOf[*testpb.Empty](1000, runtime.EncodingProto)
	wantError(t, kind.Check(&testpb.Raw{}), want)
	_, err := kind.Encode(&testpb.Raw{})
	wantError(t, err, want)
}

func TestMaxBytesBoundsTheEncodedContentBothWays(t *testing.T) {
	t.Parallel()
	kind := runtime.NewKind(runtime.KindSpec[*imv1.TextContent]{
		Name: "Short", Encoding: runtime.EncodingJSON, MaxBytes: len(`{"text":"123"}`),
		New: func() *imv1.TextContent { return &imv1.TextContent{} },
	})
	raw, err := kind.Encode(&imv1.TextContent{Text: "123"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kind.Decode(raw); err != nil {
		t.Error(err)
	}
	_, err = kind.Encode(&imv1.TextContent{Text: "1234"})
	wantError(t, err, "Short: the content has 15 bytes, 14 are allowed")
	_, err = kind.Decode([]byte(`{"text":"1234"}`))
	wantError(t, err, "Short: the content has 15 bytes, 14 are allowed")
}

func TestNoMaxBytesIsNoBound(t *testing.T) {
	t.Parallel()
	kind := kindOf[*testpb.Raw](1000, runtime.EncodingRaw)
	if _, err := kind.Encode(&testpb.Raw{Data: make([]byte, 1<<20)}); err != nil {
		t.Error(err)
	}
}

func TestEverythingWrongWithAContentIsAnInvalidArgument(t *testing.T) {
	t.Parallel()
	kind := textKind()
	_, notUTF8 := kind.Encode(&imv1.TextContent{Text: "\xff"})
	_, notRead := kind.Decode([]byte("\xff"))
	_, tooLong := kind.Decode(make([]byte, 65537))
	for name, err := range map[string]error{
		"nil": kind.Check(nil), "another kind's": kind.Check(&testpb.Raw{}), "rules": kind.Check(&imv1.TextContent{}),
		"not encoded": notUTF8, "not decoded": notRead, "too long": tooLong,
	} {
		if code := status.Code(err); code != codes.InvalidArgument {
			t.Errorf("%s: the code is %s", name, code)
		}
	}
}

func TestDecodeDoesNotAskTheRules(t *testing.T) {
	t.Parallel()
	content, err := textKind().Decode(nil)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, content, &imv1.TextContent{})
}

func TestAKindWithoutRulesFindsNothing(t *testing.T) {
	t.Parallel()
	if err := kindOf[*imv1.TextContent](1000, runtime.EncodingRaw).Check(&imv1.TextContent{}); err != nil {
		t.Error(err)
	}
}

func TestOutgoingChecksAndEncodes(t *testing.T) {
	t.Parallel()
	kind := &textKind().Kind
	raw, err := (&runtime.Outgoing{Kind: kind, Content: &imv1.TextContent{Text: "hi"}}).Encode()
	if err != nil || string(raw) != "hi" {
		t.Errorf("got %q, %v", raw, err)
	}
	_, err = (&runtime.Outgoing{Kind: kind, Content: &imv1.TextContent{Text: strings.Repeat("x", 65537)}}).Encode()
	if len(runtime.Violations(err)) != 1 {
		t.Errorf("got %v", err)
	}
	raw, err = (&runtime.Outgoing{Type: 1234, Raw: []byte("\xff")}).Encode()
	if err != nil || string(raw) != "\xff" {
		t.Errorf("raw bytes without a kind: got %q, %v", raw, err)
	}
}

func TestDirectionsHaveNames(t *testing.T) {
	t.Parallel()
	for direction, want := range map[runtime.Direction]string{
		runtime.DirectionBoth: "both", runtime.DirectionClient: "client", runtime.DirectionServer: "server",
		9: "Direction(9)",
	} {
		if got := direction.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
