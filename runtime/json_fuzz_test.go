package runtime_test

import (
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

// FuzzJSON reads anything. What was read can be written, as JSON that encoding/json takes for valid, and reading that
// gives the same content again.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `null`, `{}`, `[]`, `{"`, `{"a":"\`, `{"aString":"\ud83d\"}`, "{\"aString\":\"\xff\"}",
		`{"audio_id":"a1","duration":30.5}`,
		`{"aDouble":1e-7,"aFloat":"1.5","anInt64":"9223372036854775807","aUint64":1.8e19,"colour":"COLOUR_RED"}`,
		`{"some_bytes":"AP_-","strings":["",null,"<&>"],"byInt64":{"1e1":null},"byBool":{"true":1}}`,
		`{"inner":{"inners":[{"choiceText":"x"},{"choiceInner":{}}]},"unknown":{"a":[{},[1,-2.5e+3,"\\"]]}}`,
		`{"time":"1970-01-01T00:00:00Z","length":"1.5s","value":null,"object":{"a":[null]},"wrapped":"1","values":[null]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		content, err := readJSON[*testpb.Everything](string(raw))
		if err != nil {
			return
		}
		if len(content.GetAny().GetTypeUrl()) > 0 {
			return // whatever its type makes of it
		}
		written := jsonOf(t, content)
		if !json.Valid([]byte(written)) {
			t.Fatalf("not JSON: %s", written)
		}
		again, err := readJSON[*testpb.Everything](written)
		if err != nil {
			t.Fatalf("what was written as %s is not read: %v", written, err)
		}
		if !proto.Equal(again, content) {
			t.Fatalf("%s is read as\n%v, not\n%v", written, again, content)
		}
	})
}
