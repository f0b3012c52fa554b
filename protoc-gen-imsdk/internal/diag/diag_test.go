package diag_test

import (
	"testing"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

func TestSuggestFindsWhatWasMeantAndNothingFarFetched(t *testing.T) {
	t.Parallel()
	candidates := []string{"MESSAGE_TYPE_TEXT", "MESSAGE_TYPE_RICH_TEXT", "poll.v1.POLL_TYPE_VOTE", "validate"}
	tests := []struct{ name, want string }{
		{"MESSAGE_TYPE_TXT", "MESSAGE_TYPE_TEXT"},
		{"message_type_text", "MESSAGE_TYPE_TEXT"},
		{"RICH_TEXT", "MESSAGE_TYPE_RICH_TEXT"},
		{"POLL_TYPE_VOTE", "poll.v1.POLL_TYPE_VOTE"},
		{"VOTE", "poll.v1.POLL_TYPE_VOTE"},
		{"EXT", ""}, // the end of a name, and no word
		{"validates", "validate"},
		{"colour", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := diag.Suggest(test.name, candidates); got != test.want {
			t.Errorf("Suggest(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAllFindingsAreToldInTheOrderOfTheirPlaces(t *testing.T) {
	t.Parallel()
	var findings diag.List
	if err := findings.Err(); err != nil {
		t.Errorf("without findings: %v", err)
	}
	findings.Add(diag.Position{File: "b.proto", Line: 1, Column: 1}, diag.ZeroValue, "one")
	findings.Add(diag.Position{File: "a.proto", Line: 20, Column: 3}, diag.NoKind, "two")
	findings.Add(diag.Position{File: "a.proto", Line: 3, Column: 9}, diag.NoKind, "three is %d", 3)
	findings.Add(diag.Position{File: "a.proto", Line: 3, Column: 1}, diag.NotRaw, "four")
	findings.Add(diag.Position{File: "a.proto"}, diag.NotRaw, "five")
	findings.Add(diag.Position{}, diag.BadOption, "six")

	const want = `IM001: six
a.proto: IM010: five
a.proto:3:1: IM010: four
a.proto:3:9: IM009: three is 3
a.proto:20:3: IM009: two
b.proto:1:1: IM005: one`
	if got := findings.Err(); got == nil || got.Error() != want {
		t.Errorf("findings are\n%v\nwant\n%s", got, want)
	}
}
