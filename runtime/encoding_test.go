package runtime_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

// What deployed peers read the contents into. Their keys are the wire's.
type (
	deployedAudio struct {
		AudioID       string  `json:"audio_id"`
		AudioURL      string  `json:"audio_url"`
		Duration      float64 `json:"duration"`
		Format        string  `json:"format"`
		Size          int64   `json:"size"`
		Transcription string  `json:"transcription"`
	}
	deployedRichText struct {
		ContentType string `json:"type"`
		RawContent  string `json:"content"`
		HTMLContent string `json:"html_content"`
	}
	deployedSystem struct {
		EventType string            `json:"event_type"`
		EventData map[string]string `json:"event_data"`
	}
	deployedJoin struct {
		UserCount int32 `json:"user_count"`
	}
	deployedLeave struct {
		UserCount int32  `json:"user_count"`
		Reason    string `json:"reason"`
	}
	deployedAck struct {
		OriginalMessageID string `json:"original_message_id"`
		Success           bool   `json:"success"`
		ErrorMessage      string `json:"error_message"`
	}
)

// wireContents has each JSON content of im.v1 with its literal bytes and with what a deployed peer makes of them.
var wireContents = []struct {
	name     string
	content  proto.Message
	bytes    string
	deployed any
}{
	{
		"audio as deployed clients send it",
		&imv1.AudioContent{AudioId: "a1", Duration: 30.5},
		`{"audio_id":"a1","duration":30.5}`,
		&deployedAudio{AudioID: "a1", Duration: 30.5},
	},
	{
		"audio with everything",
		&imv1.AudioContent{
			AudioId: "a1", AudioUrl: "https://x/a?b=1&c=<2>", Duration: 0.0000001, Format: "wav",
			Size: 9007199254740993, Transcription: "he said \"hi\"\n",
		},
		`{"audio_id":"a1","audio_url":"https://x/a?b=1&c=<2>","duration":1e-7,"format":"wav",` +
			`"size":9007199254740993,"transcription":"he said \"hi\"\n"}`,
		&deployedAudio{
			AudioID: "a1", AudioURL: "https://x/a?b=1&c=<2>", Duration: 0.0000001, Format: "wav",
			Size: 9007199254740993, Transcription: "he said \"hi\"\n",
		},
	},
	{
		"rich text as deployed clients send it",
		&imv1.RichTextContent{ContentType: "markdown", RawContent: "**bold**"},
		`{"type":"markdown","content":"**bold**"}`,
		&deployedRichText{ContentType: "markdown", RawContent: "**bold**"},
	},
	{
		"rich text with everything",
		&imv1.RichTextContent{ContentType: "html", RawContent: "<b>é</b>", HtmlContent: "<b>é</b>"},
		`{"type":"html","content":"<b>é</b>","html_content":"<b>é</b>"}`,
		&deployedRichText{ContentType: "html", RawContent: "<b>é</b>", HTMLContent: "<b>é</b>"},
	},
	{
		"system",
		&imv1.SystemContent{EventType: "user_joined", EventData: map[string]string{"user": "u1", "at": "noon"}},
		`{"event_type":"user_joined","event_data":{"at":"noon","user":"u1"}}`,
		&deployedSystem{EventType: "user_joined", EventData: map[string]string{"user": "u1", "at": "noon"}},
	},
	{"join", &imv1.JoinContent{UserCount: 3}, `{"user_count":3}`, &deployedJoin{UserCount: 3}},
	{
		"leave",
		&imv1.LeaveContent{UserCount: 2, Reason: "left"},
		`{"user_count":2,"reason":"left"}`,
		&deployedLeave{UserCount: 2, Reason: "left"},
	},
	{
		"ack",
		&imv1.AckContent{OriginalMessageId: "m1", Success: true},
		`{"original_message_id":"m1","success":true}`,
		&deployedAck{OriginalMessageID: "m1", Success: true},
	},
	{
		"ack of a failure",
		&imv1.AckContent{OriginalMessageId: "m1", ErrorMessage: "no"},
		`{"original_message_id":"m1","error_message":"no"}`,
		&deployedAck{OriginalMessageID: "m1", ErrorMessage: "no"},
	},
	{"an empty content", &imv1.AudioContent{}, `{}`, &deployedAudio{}},
}

func TestJSONContentsHaveTheBytesOfTheWire(t *testing.T) {
	t.Parallel()
	for _, test := range wireContents {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			raw := jsonOf(t, test.content)
			if raw != test.bytes {
				t.Errorf("got  %s\nwant %s", raw, test.bytes)
			}
		})
	}
}

func TestDeployedPeersReadWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, test := range wireContents {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := reflect.New(reflect.TypeOf(test.deployed).Elem()).Interface()
			if err := json.Unmarshal([]byte(jsonOf(t, test.content)), got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.deployed) {
				t.Errorf("got  %+v\nwant %+v", got, test.deployed)
			}
		})
	}
}

func TestWhatDeployedPeersWriteIsRead(t *testing.T) {
	t.Parallel()
	for _, test := range wireContents {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// Plain structs write their zero values too, and <, > and & as escapes.
			raw, err := json.Marshal(test.deployed)
			if err != nil {
				t.Fatal(err)
			}
			for _, each := range []string{string(raw), test.bytes} {
				kind := runtime.NewKind(runtime.KindSpec[proto.Message]{
					Encoding: runtime.EncodingJSON,
					New:      func() proto.Message { return test.content.ProtoReflect().New().Interface() },
				})
				got, err := kind.Decode([]byte(each))
				if err != nil {
					t.Fatal(err)
				}
				wantEqual(t, got, test.content)
			}
		})
	}
}

func TestRawIsTheValueItself(t *testing.T) {
	t.Parallel()
	text, data := textKind(), kindOf[*testpb.Raw](1000, runtime.EncodingRaw)
	for _, value := range []string{"", "hi", "\"quoted\" <b>&\n\x00", "日本語 👋", `{"text":"hi"}`} {
		raw, err := text.Encode(&imv1.TextContent{Text: value})
		if err != nil || string(raw) != value {
			t.Errorf("text %q is written as %q, %v", value, raw, err)
		}
		content, err := text.Decode([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, content, &imv1.TextContent{Text: value})

		raw, err = data.Encode(&testpb.Raw{Data: []byte(value + "\xff")})
		if err != nil || string(raw) != value+"\xff" {
			t.Errorf("bytes %q are written as %q, %v", value+"\xff", raw, err)
		}
		content, err = data.Decode([]byte(value + "\xff"))
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, content, &testpb.Raw{Data: []byte(value + "\xff")})
	}
}

func TestRawTextIsUTF8BothWays(t *testing.T) {
	t.Parallel()
	kind := textKind()
	_, err := kind.Encode(&imv1.TextContent{Text: "caf\xe9"})
	wantError(t, err, "Text: the content cannot be encoded: text: invalid UTF-8")
	_, err = kind.Decode([]byte("caf\xe9"))
	wantError(t, err, "Text: the content does not parse: text: invalid UTF-8")
}

func TestRawBytesAreNotShared(t *testing.T) {
	t.Parallel()
	kind := kindOf[*testpb.Raw](1000, runtime.EncodingRaw)
	wire := []byte("abc")
	content, err := kind.Decode(wire)
	if err != nil {
		t.Fatal(err)
	}
	wire[0] = 'x'
	wantEqual(t, content, &testpb.Raw{Data: []byte("abc")})

	sent := &testpb.Raw{Data: []byte("abc")}
	raw, err := kind.Encode(sent)
	if err != nil {
		t.Fatal(err)
	}
	sent.Data[0] = 'x'
	if string(raw) != "abc" {
		t.Errorf("changing the content has changed its bytes to %q", raw)
	}
}

func TestRawTakesOneStringOrBytes(t *testing.T) {
	t.Parallel()
	maybe := kindOf[*testpb.MaybeRaw](1000, runtime.EncodingRaw)
	raw, err := maybe.Encode(&testpb.MaybeRaw{Text: proto.String("hi")})
	if err != nil || string(raw) != "hi" {
		t.Errorf("an optional text is written as %q, %v", raw, err)
	}

	none, err := maybe.Decode([]byte{})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, none, &testpb.MaybeRaw{}) // without the text, not with an empty one

	for _, kind := range []interface {
		Decode(raw []byte) (proto.Message, error)
		Encode(content proto.Message) ([]byte, error)
		New() proto.Message
	}{
		kindOf[*testpb.Empty](1000, runtime.EncodingRaw),
		kindOf[*imv1.JoinContent](1000, runtime.EncodingRaw),
		kindOf[*imv1.AudioContent](1000, runtime.EncodingRaw),
	} {
		content := kind.New()
		reason := string(content.ProtoReflect().Descriptor().FullName()) +
			" cannot be raw: that takes one field, a string or bytes"
		_, err := kind.Encode(content)
		wantError(t, err, "Test: the content cannot be encoded: "+reason)
		_, err = kind.Decode([]byte("hi"))
		wantError(t, err, "Test: the content does not parse: "+reason)
	}
}

func TestProtoIsTheBinaryEncoding(t *testing.T) {
	t.Parallel()
	kind := kindOf[*imv1.AudioContent](1000, runtime.EncodingProto)
	content := &imv1.AudioContent{AudioId: "a1", Size: 7}
	raw, err := kind.Encode(content)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x0a\x02a1\x28\x07"; string(raw) != want {
		t.Errorf("got %q, want %q", raw, want)
	}
	got, err := kind.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, content)
	if _, err := kind.Decode([]byte("\x0a\xff")); err == nil {
		t.Error("half a field is read without an error")
	}
}

func TestAnUnknownEncodingIsAnError(t *testing.T) {
	t.Parallel()
	kind := kindOf[*imv1.AudioContent](1000, runtime.Encoding(9))
	_, err := kind.Encode(&imv1.AudioContent{})
	wantError(t, err, "Test: the content cannot be encoded: unknown encoding Encoding(9)")
	_, err = kind.Decode([]byte("x"))
	wantError(t, err, "Test: the content does not parse: unknown encoding Encoding(9)")
}

func TestEncodingsHaveNames(t *testing.T) {
	t.Parallel()
	for encoding, want := range map[runtime.Encoding]string{
		runtime.EncodingProto: "proto", runtime.EncodingRaw: "raw", runtime.EncodingJSON: "json", 7: "Encoding(7)",
	} {
		if got := encoding.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
