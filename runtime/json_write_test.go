package runtime_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

func TestJSONIsWrittenForEverySortOfField(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		content *testpb.Everything
		want    string
	}{
		{"nothing", &testpb.Everything{}, `{}`},
		{
			"numbers, 64 bits ones too, are numbers",
			&testpb.Everything{
				AnInt32: math.MinInt32, AnInt64: math.MinInt64, AUint32: math.MaxUint32, AUint64: math.MaxUint64,
				ASint32: -1, ASint64: math.MaxInt64, AFixed32: 1, AFixed64: 2, ASfixed32: -3, ASfixed64: -4,
			},
			`{"anInt32":-2147483648,"anInt64":-9223372036854775808,"aUint32":4294967295,` +
				`"aUint64":18446744073709551615,"aSint32":-1,"aSint64":9223372036854775807,"aFixed32":1,` +
				`"aFixed64":2,"aSfixed32":-3,"aSfixed64":-4}`,
		},
		{
			"bool, bytes and enum",
			&testpb.Everything{ABool: true, SomeBytes: []byte{0, 0xff, 0xfe}, Colour: testpb.Colour_COLOUR_DARK},
			`{"aBool":true,"someBytes":"AP/+","colour":-2}`,
		},
		{"an enum's unknown number", &testpb.Everything{Colour: 77}, `{"colour":77}`},
		{"a message within a message", &testpb.Everything{Inner: &testpb.Everything{AnInt32: 1}}, `{"inner":{"anInt32":1}}`},
		{"an empty message that is set", &testpb.Everything{Inner: &testpb.Everything{}}, `{"inner":{}}`},
		{
			"zero values that tell that they are there",
			&testpb.Everything{
				MaybeString: proto.String(""), MaybeInt64: proto.Int64(0), MaybeBool: proto.Bool(false),
				Choice: &testpb.Everything_ChoiceText{},
			},
			`{"maybeString":"","maybeInt64":0,"maybeBool":false,"choiceText":""}`,
		},
		{
			"lists, with their zero values",
			&testpb.Everything{
				Strings: []string{"", "a"}, Int64S: []int64{0, 1 << 62}, Colours: []testpb.Colour{0, 1},
				Inners: []*testpb.Everything{{}, {AnInt32: 1}}, Chunks: [][]byte{nil, {1}},
			},
			`{"strings":["","a"],"int64s":[0,4611686018427387904],"colours":[0,1],"inners":[{},{"anInt32":1}],` +
				`"chunks":["","AQ=="]}`,
		},
		{
			"maps, sorted by their keys as text",
			&testpb.Everything{
				ByString: map[string]string{"b": "", "a": "1", "": "0"}, ByInt64: map[int64]string{10: "x", 9: "y", -1: "z"},
				ByUint32: map[uint32]int64{7: 8}, ByBool: map[bool]testpb.Colour{true: 1, false: 0},
				InnerByString: map[string]*testpb.Everything{"k": {}},
			},
			`{"byString":{"":"0","a":"1","b":""},"byInt64":{"-1":"z","10":"x","9":"y"},"byUint32":{"7":8},` +
				`"byBool":{"false":0,"true":1},"innerByString":{"k":{}}}`,
		},
		{
			"well-known types as protobuf's JSON mapping has them",
			&testpb.Everything{
				Time: timestamppb.New(time.Unix(1, 500_000_000)), Length: durationpb.New(90 * time.Second),
				Value: structpb.NewNullValue(), Wrapped: wrapperspb.Int64(5),
				Object: &structpb.Struct{Fields: map[string]*structpb.Value{
					"b": structpb.NewStringValue("<x> y"), "a": structpb.NewNumberValue(1),
				}},
				Values: []*structpb.Value{structpb.NewNullValue(), structpb.NewBoolValue(true)},
			},
			`{"time":"1970-01-01T00:00:01.500Z","length":"90s","object":{"a":1,"b":"<x> y"},"value":null,` +
				`"wrapped":"5","values":[null,true]}`,
		},
		{
			"json_name as the key, escaped",
			&testpb.Everything{First: "1", Second: "2", With_2Digits_3X: "3", QuotedKey: "4"},
			`{"second":"1","third_key":"2","with2Digits3x":"3","say \"hi\"":"4"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			raw := jsonOf(t, test.content)
			if raw != test.want {
				t.Errorf("got  %s\nwant %s", raw, test.want)
			}
			got, err := readJSON[*testpb.Everything](raw)
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, got, test.content)
		})
	}
}

// plainJSON is what encoding/json writes when it leaves <, > and & alone.
func plainJSON(t *testing.T, value any) string {
	t.Helper()
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(buffer.String(), "\n")
}

func TestJSONStringsAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	texts := []string{
		"<a href=\"x\">&'</a>", `back\slash`, "日本語 é 👋", "\u2028 and \u2029", "\u2027\u202a\ue028", "�", "tail\n", " ",
	}
	for char := range rune(0x100) {
		texts = append(texts, "a"+string(char)+"b")
	}
	for _, text := range texts {
		want := `{"aString":` + plainJSON(t, text) + `}`
		if got := jsonOf(t, &testpb.Everything{AString: text}); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestJSONFloatsAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, number := range []float64{
		1, -1, 0.1, 30.5, 1e-6, 9.99e-7, 1e-7, -1e-10, 1e20, 1e21, -1e21, 1.5e300, math.MaxFloat64,
		math.SmallestNonzeroFloat64, math.Pi, 1 << 53, 123456789.125,
	} {
		want := `{"aDouble":` + plainJSON(t, number) + `}`
		if got := jsonOf(t, &testpb.Everything{ADouble: number}); got != want {
			t.Errorf("double %v: got %s, want %s", number, got, want)
		}
		single := float32(number)
		if math.IsInf(float64(single), 0) || single == 0 {
			continue
		}
		want = `{"aFloat":` + plainJSON(t, single) + `}`
		if got := jsonOf(t, &testpb.Everything{AFloat: single}); got != want {
			t.Errorf("float %v: got %s, want %s", single, got, want)
		}
	}
}

func TestWhatJSONCannotCarryNamesTheField(t *testing.T) {
	t.Parallel()
	deep := &testpb.Everything{}
	for range 100 {
		deep = &testpb.Everything{Inner: deep}
	}
	for _, test := range []struct {
		name    string
		content *testpb.Everything
		want    string
	}{
		{"NaN", &testpb.Everything{ADouble: math.NaN()}, "a_double: JSON has no NaN and no infinity"},
		{"infinity", &testpb.Everything{AFloat: float32(math.Inf(-1))}, "a_float: JSON has no NaN and no infinity"},
		{
			"NaN in a map",
			&testpb.Everything{DoubleByString: map[string]float64{"k": math.NaN()}},
			`double_by_string["k"]: JSON has no NaN and no infinity`,
		},
		{"text", &testpb.Everything{AString: "\xff"}, "a_string: invalid UTF-8"},
		{"text in a list", &testpb.Everything{Strings: []string{"", "\xff"}}, "strings[1]: invalid UTF-8"},
		{"a map's key", &testpb.Everything{ByString: map[string]string{"\xff": ""}}, `by_string["\xff"]: invalid UTF-8`},
		{
			"text deep within",
			&testpb.Everything{Inners: []*testpb.Everything{{InnerByString: map[string]*testpb.Everything{
				"k": {Choice: &testpb.Everything_ChoiceText{ChoiceText: "\xff"}},
			}}}},
			`inners[0].inner_by_string["k"].choice_text: invalid UTF-8`,
		},
		{"too deep", deep, strings.Repeat("inner.", 99) + "inner: messages stand in one another deeper than 100 levels"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := kindOf[*testpb.Everything](1000, runtime.EncodingJSON).Encode(test.content)
			wantError(t, err, "Test: the content cannot be encoded: "+test.want)
		})
	}
}

func TestAWellKnownTypeThatCannotBeWrittenNamesTheField(t *testing.T) {
	t.Parallel()
	for _, content := range []*testpb.Everything{
		{Time: &timestamppb.Timestamp{Nanos: -1}},
		{Any: &anypb.Any{TypeUrl: "type.googleapis.com/no.such.Message"}},
	} {
		_, err := kindOf[*testpb.Everything](1000, runtime.EncodingJSON).Encode(content)
		if err == nil || !strings.Contains(err.Error(), ": cannot write a google.protobuf.") {
			t.Errorf("%v: got %v", content, err)
		}
	}
}

func TestTheDeepestContentThatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	deep := &testpb.Everything{}
	for range 99 {
		deep = &testpb.Everything{Inner: deep}
	}
	got, err := readJSON[*testpb.Everything](jsonOf(t, deep))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, deep)
}
