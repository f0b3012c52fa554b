package tests_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

func TestWrongAnnotationsAreToldWithPlaceAndCure(t *testing.T) {
	t.Parallel()
	for _, each := range cases(t, "diagnostics") {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			response := generate(t, each.request(t))
			got := compareFindings(t, filepath.Join(each.dir, "want.txt"), response)
			if code, _, _ := strings.Cut(each.name, "_"); !strings.Contains(got, ": "+strings.ToUpper(code)+": ") &&
				!strings.HasPrefix(got, strings.ToUpper(code)+": ") && each.name != "all_at_once" {
				t.Errorf("no finding has the code that the case is named after:\n%s", got)
			}
		})
	}
}

// compareFindings compares what a response says with a golden, and gives it.
func compareFindings(t *testing.T, golden string, response *pluginpb.CodeGeneratorResponse) string {
	t.Helper()
	if len(response.GetFile()) > 0 {
		t.Errorf("there is output: %d files", len(response.GetFile()))
	}
	got := response.GetError() + "\n"
	for line := range strings.Lines(got) {
		if !finding.MatchString(line) {
			t.Errorf("a finding without code: %s", line)
		}
	}
	if *update {
		writeFile(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("findings are\n%swant\n%s", got, want)
	}
	return got
}

func TestWithoutSourceInfoAFindingNamesTheFile(t *testing.T) {
	t.Parallel()
	request := testCase{name: "im003_no_type", dir: "testdata/diagnostics/im003_no_type"}.request(t)
	for _, file := range request.GetProtoFile() {
		file.SourceCodeInfo = nil
	}
	if got := generate(t, request).GetError(); !strings.HasPrefix(got, "poll/v1/poll.proto: IM003: ") {
		t.Errorf("finding is %q", got)
	}
}

func TestAMapEntryIsNoKind(t *testing.T) {
	t.Parallel()
	request := testCase{name: "full", dir: "testdata/output/full"}.request(t)
	for _, file := range request.GetProtoFile() {
		if file.GetName() == "poll/v1/result.proto" {
			result := file.GetMessageType()[0]
			result.GetNestedType()[0].Options = &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)}
			proto.SetExtension(result.GetNestedType()[0].GetOptions(), imsdkv1.E_Kind, &imsdkv1.Kind{Type: "TYPE_TICK"})
		}
	}
	const want = "IM012: message poll.v1.Result.VotesEntry: the entry of a map cannot be a kind"
	if got := generate(t, request).GetError(); !strings.Contains(got, want) {
		t.Errorf("findings are %q, want %q in it", got, want)
	}
}
