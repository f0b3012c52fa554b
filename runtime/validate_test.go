package runtime_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/testpb"
)

// ruledKind is a kind as generated code has it for a content with rules of every sort.
func ruledKind(validate func(*testpb.Ruled) error) *runtime.TypedKind[*testpb.Ruled] {
	return runtime.NewKind(runtime.KindSpec[*testpb.Ruled]{
		Number:   1000,
		Name:     "Ruled",
		New:      func() *testpb.Ruled { return &testpb.Ruled{} },
		Validate: validate,
		Fields: runtime.FieldNames{
			"testpb.Ruled": {
				"DisplayName": "display_name", "FirstItem": "first_item", "MoreItems": "more_items",
				"ItemsByName": "items_by_name", "Labels": "labels", "UniqueTags": "unique_tags",
				"HomePage": "home_page", "HowLong": "how_long", "ForeignText": "foreign_text", "String_": "string",
				"XHidden_2": "_hidden_2", "AText": "a_text", "AnItem": "an_item", "WhichOne": "which_one",
			},
			"testpb.Item":       {"Label": "label", "SubItems": "sub_items"},
			"im.v1.TextContent": {"Text": "text"},
		},
	})
}

// valid is a content that breaks no rule.
func valid() *testpb.Ruled {
	return &testpb.Ruled{
		DisplayName: "x", HowLong: durationpb.New(0), WhichOne: &testpb.Ruled_AText{AText: "x"},
		Labels: map[string]string{"k": "v"}, UniqueTags: []string{"a", "b"}, HomePage: "https://example.com",
	}
}

func TestViolationsHaveTheirPathInProtoNames(t *testing.T) {
	t.Parallel()
	item := &testpb.Item{Label: "x"}
	const empty = "value length must be at least 1 runes"
	for _, test := range []struct {
		name   string
		change func(content *testpb.Ruled)
		want   []string
	}{
		{"nothing", func(*testpb.Ruled) {}, nil},
		{"a field", func(c *testpb.Ruled) { c.DisplayName = "" }, []string{"display_name: " + empty}},
		{
			"a message's field",
			func(c *testpb.Ruled) { c.FirstItem = &testpb.Item{} },
			[]string{"first_item.label: " + empty},
		},
		{
			"a list's elements, and lists within them",
			func(c *testpb.Ruled) {
				c.MoreItems = []*testpb.Item{item, {SubItems: []*testpb.Item{item, item, {}}}}
			},
			[]string{"more_items[1].label: " + empty, "more_items[1].sub_items[2].label: " + empty},
		},
		{
			"a list itself",
			func(c *testpb.Ruled) { c.MoreItems = []*testpb.Item{item, item, item, item} },
			[]string{"more_items: value must contain no more than 3 item(s)"},
		},
		{
			"a map's value, whatever its key",
			func(c *testpb.Ruled) { c.ItemsByName = map[string]*testpb.Item{"a.b[0]": {}} },
			[]string{"items_by_name[a.b[0]].label: " + empty},
		},
		{
			"a map's keys and values",
			func(c *testpb.Ruled) { c.Labels = map[string]string{"too long": "", "ok": "ok"} },
			[]string{
				"labels[too long]: value length must be at most 4 runes",
				"labels[too long]: " + empty,
			},
		},
		{
			"an element that comes twice",
			func(c *testpb.Ruled) { c.UniqueTags = []string{"a", "b", "a"} },
			[]string{"unique_tags[2]: repeated value must contain unique items"},
		},
		{
			"another package's content",
			func(c *testpb.Ruled) { c.ForeignText = &imv1.TextContent{} },
			[]string{"foreign_text.text: value length must be between 1 and 65536 bytes, inclusive"},
		},
		{
			"names that Go has for something else",
			func(c *testpb.Ruled) { c.String_, c.XHidden_2 = "long", "long" },
			[]string{
				"string: value length must be at most 3 runes",
				"_hidden_2: value length must be at most 3 runes",
			},
		},
		{"a oneof that is not set", func(c *testpb.Ruled) { c.WhichOne = nil }, []string{"which_one: value is required"}},
		{
			"a oneof's field",
			func(c *testpb.Ruled) { c.WhichOne = &testpb.Ruled_AText{} },
			[]string{"a_text: " + empty},
		},
		{
			"a oneof's message",
			func(c *testpb.Ruled) { c.WhichOne = &testpb.Ruled_AnItem{AnItem: &testpb.Item{}} },
			[]string{"an_item.label: " + empty},
		},
		{
			"a message that is no content",
			func(c *testpb.Ruled) { c.HowLong = &durationpb.Duration{Seconds: 1 << 62} },
			[]string{"how_long: value is not a valid duration"},
		},
		{
			"several at once",
			func(c *testpb.Ruled) { c.DisplayName, c.HowLong = "", durationpb.New(-time.Second) },
			[]string{"display_name: " + empty, "how_long: value must be greater than or equal to 0s"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			content := valid()
			test.change(content)
			err := ruledKind((*testpb.Ruled).ValidateAll).Check(content)
			if test.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var got []string
			for _, violation := range runtime.Violations(err) {
				got = append(got, violation.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			wantError(t, err, "Ruled: invalid content: "+strings.Join(test.want, "; "))
		})
	}
}

func TestAViolationKeepsItsCauseAndDoesNotPrintIt(t *testing.T) {
	t.Parallel()
	content := valid()
	content.HomePage = "http://my secret"
	err := ruledKind((*testpb.Ruled).ValidateAll).Check(content)
	violations := runtime.Violations(err)
	if len(violations) != 1 || violations[0].Path != "home_page" || violations[0].Cause == nil ||
		!strings.Contains(violations[0].Cause.Error(), "my secret") {
		t.Fatalf("got %+v", violations)
	}
	wantError(t, err, "Ruled: invalid content: home_page: value must be a valid URI")
}

func TestTheFirstViolationOfValidateIsOneToo(t *testing.T) {
	t.Parallel()
	content := valid()
	content.FirstItem, content.DisplayName = &testpb.Item{}, "" // Validate stops at the first
	err := ruledKind((*testpb.Ruled).Validate).Check(content)
	wantError(t, err, "Ruled: invalid content: display_name: value length must be at least 1 runes")
}

func TestAnyOtherValidatorsErrorIsAViolation(t *testing.T) {
	t.Parallel()
	cause := errors.New("no polls on Sundays")
	err := ruledKind(func(*testpb.Ruled) error { return cause }).Check(valid())
	wantError(t, err, "Ruled: invalid content: no polls on Sundays")
	violations := runtime.Violations(err)
	if len(violations) != 1 || violations[0].Path != "" || !errors.Is(violations[0].Cause, cause) {
		t.Errorf("got %+v", violations)
	}
}

func TestNamesThatTheTableDoesNotHaveStayAsTheyAre(t *testing.T) {
	t.Parallel()
	kind := runtime.NewKind(runtime.KindSpec[*testpb.Ruled]{
		Name: "Ruled", New: func() *testpb.Ruled { return &testpb.Ruled{} }, Validate: (*testpb.Ruled).ValidateAll,
	})
	content := valid()
	content.FirstItem = &testpb.Item{}
	wantError(t, kind.Check(content), "Ruled: invalid content: FirstItem: embedded message failed validation")
}
