package runtime_test

import (
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

func TestJSONIsReadInEverySpelling(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		raw  string
		want *testpb.Everything
	}{
		{"nothing", "", &testpb.Everything{}},
		{"only space", " \r\n\t", &testpb.Everything{}},
		{"null", " null ", &testpb.Everything{}},
		{"space everywhere", " { \"aBool\" : true ,\n\t\"strings\" : [ \"a\" , \"b\" ] , \"byString\" : { \"k\" : \"v\" } } ", &testpb.Everything{
			ABool: true, Strings: []string{"a", "b"}, ByString: map[string]string{"k": "v"},
		}},
		{"empty lists, maps and messages", `{"strings":[ ],"byString":{ },"inner":{ }}`, &testpb.Everything{
			Inner: &testpb.Everything{},
		}},

		{"json_name", `{"anInt32":1}`, &testpb.Everything{AnInt32: 1}},
		{"proto name", `{"an_int32":1}`, &testpb.Everything{AnInt32: 1}},
		{"a json_name of its own", `{"third_key":"x"}`, &testpb.Everything{Second: "x"}},
		{"a json_name wins over another field's proto name", `{"second":"x"}`, &testpb.Everything{First: "x"}},
		{"a proto name wins over nothing", `{"first":"x"}`, &testpb.Everything{First: "x"}},
		{"digits after underscores", `{"with2Digits3x":"x"}`, &testpb.Everything{With_2Digits_3X: "x"}},
		{"an escaped key", `{"say \u0022hi\"":"x"}`, &testpb.Everything{QuotedKey: "x"}},
		{"the lowerCamel name beside a json_name", `{"quotedKey":"x"}`, &testpb.Everything{QuotedKey: "x"}},
		{
			"keys that are nearly one",
			`{"anInt3":1,"anInt322":1,"AnInt32":1,"anint32":1,"an_Int32":1,"":1,"an__int32":1}`,
			&testpb.Everything{},
		},

		{"unknown keys, however deep", `{"x":{"y":[1,{"z":"}]\\\""},[[]],-1.5e3,true]},"aBool":true,"w":null}`, &testpb.Everything{ABool: true}},
		{
			"null is as if it were not there",
			`{"aBool":null,"inner":null,"strings":null,"byString":null,"maybeInt64":null,"time":null,"colour":null,` +
				`"choiceText":null,"values":null}`,
			&testpb.Everything{},
		},
		{"null does not undo", `{"anInt32":1,"anInt32":null}`, &testpb.Everything{AnInt32: 1}},
		{
			"null in lists and maps is the zero value",
			`{"int64s":[1,null,3],"inners":[null],"byString":{"k":null},"innerByString":{"k":null},"colours":[null]}`,
			&testpb.Everything{
				Int64S: []int64{1, 0, 3}, Inners: []*testpb.Everything{{}}, ByString: map[string]string{"k": ""},
				InnerByString: map[string]*testpb.Everything{"k": {}}, Colours: []testpb.Colour{0},
			},
		},
		{"null that is a value", `{"value":null,"values":[null,1]}`, &testpb.Everything{
			Value: structpb.NewNullValue(), Values: []*structpb.Value{structpb.NewNullValue(), structpb.NewNumberValue(1)},
		}},

		{"the last of two", `{"anInt32":1,"an_int32":2,"anInt32":3}`, &testpb.Everything{AnInt32: 3}},
		{"the last of two lists", `{"strings":["a","b"],"strings":["c"]}`, &testpb.Everything{Strings: []string{"c"}}},
		{"the last of two maps", `{"byString":{"a":"b"},"byString":{"c":"d","c":"e"}}`, &testpb.Everything{ByString: map[string]string{"c": "e"}}},
		{"the last of two messages", `{"inner":{"anInt32":1},"inner":{"aBool":true}}`, &testpb.Everything{
			Inner: &testpb.Everything{ABool: true},
		}},
		{"the last of a oneof", `{"choiceText":"a","choiceInner":{}}`, &testpb.Everything{
			Choice: &testpb.Everything_ChoiceInner{ChoiceInner: &testpb.Everything{}},
		}},

		{"bools", `{"aBool":true,"maybeBool":false}`, &testpb.Everything{ABool: true, MaybeBool: proto.Bool(false)}},
		{"bools in strings", `{"aBool":"true","maybeBool":"false"}`, &testpb.Everything{ABool: true, MaybeBool: proto.Bool(false)}},
		{"enums by number", `{"colours":[1,-2,99,"1","-2","1.0",1e0]}`, &testpb.Everything{
			Colours: []testpb.Colour{1, -2, 99, 1, -2, 1, 1},
		}},
		{"enums by name", `{"colours":["COLOUR_RED","COLOUR_DARK"]}`, &testpb.Everything{Colours: []testpb.Colour{1, -2}}},
		{"base64 of all sorts", `{"chunks":["AP/+","AP_-","AQ==","AQ","","\u0041Q="]}`, &testpb.Everything{
			Chunks: [][]byte{{0, 0xff, 0xfe}, {0, 0xff, 0xfe}, {1}, {1}, {}, {1}},
		}},
		{"map keys of all sorts", `{"byInt64":{"-5":"a","1e1":"b"},"byUint32":{"7":"8"},"byBool":{"true":1,"false":"COLOUR_RED"}}`, &testpb.Everything{
			ByInt64: map[int64]string{-5: "a", 10: "b"}, ByUint32: map[uint32]int64{7: 8},
			ByBool: map[bool]testpb.Colour{true: 1, false: 1},
		}},
		{"escapes", `{"aString":"\u00e9\n\/\"\\\ud83d\udc4b<"}`, &testpb.Everything{AString: "é\n/\"\\👋<"}},
		{"half of a surrogate pair", `{"aString":"cut \ud83d"}`, &testpb.Everything{AString: "cut �"}},
		{
			"unknown keys within an Any",
			`{"any":{"@type":"type.googleapis.com/testpb.Raw","data":"AQ==","more":1}}`,
			&testpb.Everything{Any: anyOf(t, &testpb.Raw{Data: []byte{1}})},
		},
		{
			"well-known types",
			`{"time":"1970-01-01T01:00:00+01:00","length":"1.5s","object":{"a":{"b":[]},"c":null},"wrapped":7,"value":[{}]}`,
			&testpb.Everything{
				Time: timestamppb.New(time.Unix(0, 0)), Length: durationpb.New(1500 * time.Millisecond),
				Object: &structpb.Struct{Fields: map[string]*structpb.Value{
					"a": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
						"b": structpb.NewListValue(&structpb.ListValue{}),
					}}),
					"c": structpb.NewNullValue(),
				}},
				Wrapped: wrapperspb.Int64(7),
				Value: structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{
					structpb.NewStructValue(&structpb.Struct{}),
				}}),
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := readJSON[*testpb.Everything](test.raw)
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, got, test.want)
		})
	}
}

func anyOf(t *testing.T, content proto.Message) *anypb.Any {
	t.Helper()
	packed, err := anypb.New(content)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestContentsOfTheWireAreReadInEverySpelling(t *testing.T) {
	t.Parallel()
	want := &imv1.RichTextContent{ContentType: "markdown", RawContent: "**x**", HtmlContent: "<b>x</b>"}
	for _, raw := range []string{
		`{"type":"markdown","content":"**x**","html_content":"<b>x</b>"}`,
		`{"content_type":"markdown","raw_content":"**x**","html_content":"<b>x</b>"}`,
		`{"contentType":"markdown","rawContent":"**x**","htmlContent":"<b>x</b>"}`,
	} {
		got, err := readJSON[*imv1.RichTextContent](raw)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, got, want)
	}
	audio, err := readJSON[*imv1.AudioContent](`{"audioId":"a1","duration":"30.5","size":"9007199254740993","codec":7}`)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, audio, &imv1.AudioContent{AudioId: "a1", Duration: 30.5, Size: 9007199254740993})
}

func TestIntegersAreReadExactly(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]int64{
		"0": 0, "-0": 0, "0.0": 0, "-0e5": 0, "0e99999999999999999999": 0, "30": 30, "30.0": 30, "3e1": 30, "3E+1": 30,
		"300e-1": 30, "0.03e3": 30, "30.000": 30, "-1.5e3": -1500,
		"9007199254740993": 9007199254740993, "9007199254740993.0": 9007199254740993, "9.007199254740993e15": 9007199254740993,
		"9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "922337203685477580.7e1": 1<<63 - 1,
		"0.9223372036854775807e19": 1<<63 - 1,
	} {
		for _, raw := range []string{`{"anInt64":` + token + `}`, `{"anInt64":"` + token + `"}`} {
			got, err := readJSON[*testpb.Everything](raw)
			if err != nil {
				t.Errorf("%s: %v", raw, err)
				continue
			}
			if got.GetAnInt64() != want {
				t.Errorf("%s: got %d, want %d", raw, got.GetAnInt64(), want)
			}
		}
	}
	got, err := readJSON[*testpb.Everything](`{"aUint64":18446744073709551615,"aFixed64":1.8446744073709551615e19,"aUint32":-0}`)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, &testpb.Everything{AUint64: 1<<64 - 1, AFixed64: 1<<64 - 1})
}

func TestFloatsAreReadFromNumbersAndStrings(t *testing.T) {
	t.Parallel()
	got, err := readJSON[*testpb.Everything](`{"aDouble":"1.5e-3","aFloat":16777217,"doubleByString":{"a":-0.1,"b":"2","c":1e-999}}`)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, &testpb.Everything{
		ADouble: 0.0015, AFloat: 16777216, DoubleByString: map[string]float64{"a": -0.1, "b": 2, "c": 0},
	})
}

func TestWhatIsNotTheContentsJSONSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	const (
		notWhole  = "want a whole number, got one with a fraction"
		notNumber = "want a number, got a string that is none"
	)
	for raw, want := range map[string]string{
		`[]`:                   "want an object, got an array",
		`"hello"`:              "want an object, got a string",
		`12`:                   "want an object, got a number",
		`true`:                 "want an object, got a boolean",
		`{"aBool":tru}`:        "not JSON: invalid character '}' in literal true (expecting 'e')",
		`hello`:                "not JSON: invalid character 'h' looking for beginning of value",
		`{`:                    "not JSON: unexpected end of JSON input",
		`{} {}`:                "not JSON: invalid character '{' after top-level value",
		`{}x`:                  "not JSON: invalid character 'x' after top-level value",
		`{"aBool":true,}`:      "not JSON: invalid character '}' looking for beginning of object key string",
		"{\"aString\":\"\n\"}": "not JSON: invalid character '\\n' in string literal",

		`{"aString":1}`:                  "a_string: want a string, got a number",
		"{\"aString\":\"\xff\"}":         "a_string: invalid UTF-8",
		"{\"x\xff\":1}":                  "invalid UTF-8",
		`{"aBool":1}`:                    "a_bool: want a boolean, got a number",
		`{"aBool":"yes"}`:                `a_bool: want a boolean, got a string that is neither "true" nor "false"`,
		`{"inner":"x"}`:                  "inner: want an object, got a string",
		`{"strings":"x"}`:                "strings: want an array, got a string",
		`{"strings":["a",{}]}`:           "strings[1]: want a string, got an object",
		`{"byString":[]}`:                "by_string: want an object, got an array",
		`{"byString":{"k":[]}}`:          `by_string["k"]: want a string, got an array`,
		`{"byInt64":{"x":""}}`:           `by_int64["x"]: ` + notNumber,
		`{"byUint32":{"-1":0}}`:          `by_uint32["-1"]: the number does not fit into uint32`,
		`{"byBool":{"1":0}}`:             `by_bool["1"]: want a boolean, got a string that is neither "true" nor "false"`,
		`{"someBytes":"?"}`:              "some_bytes: want base64, got a string that is none",
		`{"someBytes":1}`:                "some_bytes: want a string, got a number",
		`{"colour":"COLOUR_PINK"}`:       "colour: want a value of testpb.Colour, got a string that is none",
		`{"colour":1.5}`:                 "colour: " + notWhole,
		`{"colour":2147483648}`:          "colour: the number does not fit into int32",
		`{"colour":true}`:                "colour: want a number, got a boolean",
		`{"time":"yesterday"}`:           "time: not a valid google.protobuf.Timestamp",
		`{"inners":[{},{"anInt32":[]}]}`: "inners[1].an_int32: want a number, got an array",

		`{"anInt32":2147483648}`:                "an_int32: the number does not fit into int32",
		`{"anInt64":9223372036854775808}`:       "an_int64: the number does not fit into int64",
		`{"anInt64":"-9223372036854775809"}`:    "an_int64: the number does not fit into int64",
		`{"anInt64":1e99999999999999999999}`:    "an_int64: the number does not fit into int64",
		`{"anInt64":-1e40}`:                     "an_int64: the number does not fit into int64",
		`{"aUint32":-1}`:                        "a_uint32: the number does not fit into uint32",
		`{"aUint64":18446744073709551616}`:      "a_uint64: the number does not fit into uint64",
		`{"aDouble":1e400}`:                     "a_double: the number does not fit into double",
		`{"aFloat":1e39}`:                       "a_float: the number does not fit into float",
		`{"anInt64":1.5}`:                       "an_int64: " + notWhole,
		`{"anInt64":"1e-1"}`:                    "an_int64: " + notWhole,
		`{"anInt64":1e-99999999999999999999}`:   "an_int64: " + notWhole,
		`{"anInt64":1.5e-99999999999999999999}`: "an_int64: " + notWhole,
		`{"aUint32":1.5}`:                       "a_uint32: " + notWhole,
		`{"anInt64":""}`:                        "an_int64: " + notNumber,
		`{"anInt64":" 1"}`:                      "an_int64: " + notNumber,
		`{"anInt64":"1 "}`:                      "an_int64: " + notNumber,
		`{"anInt64":"+1"}`:                      "an_int64: " + notNumber,
		`{"anInt64":"0x10"}`:                    "an_int64: " + notNumber,
		`{"anInt64":"1_0"}`:                     "an_int64: " + notNumber,
		`{"aDouble":"NaN"}`:                     "a_double: " + notNumber,
		`{"aDouble":"Infinity"}`:                "a_double: " + notNumber,
		`{"aDouble":"."}`:                       "a_double: " + notNumber,
		"{\"anInt64\":\"\xff\"}":                "an_int64: invalid UTF-8",

		strings.Repeat(`{"inner":`, 100) + `{}` + strings.Repeat(`}`, 100): strings.Repeat("inner.", 99) +
			"inner: messages stand in one another deeper than 100 levels",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			_, err := readJSON[*testpb.Everything](raw)
			wantError(t, err, "Test: the content does not parse: "+want)
		})
	}
}

func TestAHugeExponentCostsNoMemory(t *testing.T) { //nolint:paralleltest // it measures
	kind := kindOf[*testpb.Everything](1000, runtime.EncodingJSON)
	allocated := func() uint64 {
		var stats goruntime.MemStats
		goruntime.ReadMemStats(&stats)
		return stats.TotalAlloc
	}
	before := allocated()
	_, err := kind.Decode([]byte(`{"anInt64":1e999999999}`))
	wantError(t, err, "Test: the content does not parse: an_int64: the number does not fit into int64")
	if used := allocated() - before; used > 1<<20 {
		t.Errorf("reading a number takes %d bytes", used)
	}
}

func TestDeepNestingBelowAnUnknownKeyCostsNoStack(t *testing.T) {
	t.Parallel()
	raw := `{"x":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `,"aBool":true}`
	got, err := readJSON[*testpb.Everything](raw)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, &testpb.Everything{ABool: true})
	if _, err := readJSON[*testpb.Everything](strings.Repeat(`{"inner":`, 1_000_000)); err == nil {
		t.Error("a million open objects are read without an error")
	}
}
