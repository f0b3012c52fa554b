package runtime_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// textKind is Text as a generated package has it.
func textKind() *runtime.TypedKind[*imv1.TextContent] {
	return runtime.NewKind(runtime.KindSpec[*imv1.TextContent]{
		Number:   int32(imv1.MessageType_MESSAGE_TYPE_TEXT),
		Name:     "Text",
		Encoding: runtime.EncodingRaw,
		MaxBytes: 65536,
		New:      func() *imv1.TextContent { return &imv1.TextContent{} },
		Validate: (*imv1.TextContent).ValidateAll,
		Fields:   runtime.FieldNames{"im.v1.TextContent": {"Text": "text"}},
	})
}

// kindOf is a kind without rules, in any encoding.
func kindOf[T proto.Message](number int32, encoding runtime.Encoding) *runtime.TypedKind[T] {
	return runtime.NewKind(runtime.KindSpec[T]{
		Number:   number,
		Name:     "Test",
		Encoding: encoding,
		New: func() T {
			var none T
			content, _ := none.ProtoReflect().New().Interface().(T)
			return content
		},
	})
}

// jsonOf encodes a content as JSON.
func jsonOf[T proto.Message](t *testing.T, content T) string {
	t.Helper()
	raw, err := kindOf[T](1000, runtime.EncodingJSON).Encode(content)
	if err != nil {
		t.Fatalf("encoding %v: %v", content, err)
	}
	return string(raw)
}

// readJSON decodes a content from JSON.
func readJSON[T proto.Message](raw string) (T, error) {
	content, err := kindOf[T](1000, runtime.EncodingJSON).Decode([]byte(raw))
	typed, _ := content.(T)
	return typed, err
}

func wantEqual(t *testing.T, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want %q", want)
	case err.Error() != want:
		t.Errorf("got  %q\nwant %q", err, want)
	}
}
