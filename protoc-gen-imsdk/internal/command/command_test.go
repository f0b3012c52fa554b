package command_test

import (
	"strings"
	"testing"
)

func TestACommandThatIsNoneIsToldWithWhatWasMeant(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args   []string
		code   int
		stdout string // is in it
		stderr string
	}{
		{nil, 2, "", "protoc-gen-imsdk is a plugin of buf and protoc"},
		{[]string{"help"}, 0, "protoc-gen-imsdk export-proto", ""},
		{[]string{"-h"}, 0, "protoc-gen-imsdk lock", ""},
		{[]string{"--help"}, 0, "buf.gen.yaml", ""},
		{[]string{"version"}, 0, "protoc-gen-imsdk ", ""},
		{[]string{"--version"}, 0, "protoc-gen-imsdk ", ""},
		{[]string{"lok"}, 2, "", "there is no command lok; did you mean lock?"},
		{[]string{"generate"}, 2, "", "there is no command generate; the commands are export-proto, help, lock, version"},
		{[]string{"lock", "-h"}, 0, "", "usage: protoc-gen-imsdk lock [-o imsdk.lock]"},
		{[]string{"lock", "-colour"}, 2, "", "flag provided but not defined: -colour"},
		{[]string{"lock", "proto"}, 2, "", "usage: protoc-gen-imsdk lock"},
		{[]string{"export-proto"}, 2, "", "usage: protoc-gen-imsdk export-proto [-force] DIR"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, test.args...)
			if got.code != test.code || !says(got.stdout, test.stdout) || !says(got.stderr, test.stderr) {
				t.Errorf("exit code %d, output\n%s\nerrors\n%s", got.code, got.stdout, got.stderr)
			}
		})
	}
}

// says tells whether a text has a part; no part is no text.
func says(text, part string) bool {
	return strings.Contains(text, part) && (part != "" || text == "")
}
