package main

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Kinds of two packages have their numbers in one enum, which lies in a third directory together with a kind.
var workspace = map[string]string{
	"buf.yaml":              "version: v2\nmodules:\n  - path: proto\n  - path: third_party\n",
	"proto/type/type.proto": "enum Type {\n  option (imsdk.v1.kind_enum) = {};\n  NONE = 0;\n  NOTE = 1000;\n  POLL = 1001;\n  VOTE = 1002;\n}\n" + message("Note", "NOTE"),
	"proto/poll/poll.proto": `import "type/type.proto";` + message("Poll", "type.POLL"),
	"proto/vote/vote.proto": `import "type/type.proto";` + message("Vote", "type.VOTE"),
}

const lockOfAll = "1000 type.Note proto both\n1001 poll.Poll proto both\n1002 vote.Vote proto both\n"

func message(name, kind string) string {
	return "\nmessage " + name + " {\n  option (imsdk.v1.kind).type = \"" + kind + "\";\n  string text = 1;\n}\n"
}

// bufGenerate runs buf in a workspace, with this test's program as the plugin, and gives the files that come out.
func bufGenerate(t *testing.T, files map[string]string, strategy, option string, args ...string) (map[string]string, string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if pkg := filepath.Base(filepath.Dir(name)); filepath.Ext(name) == ".proto" {
			content = "syntax = \"proto3\";\npackage " + pkg + ";\nimport \"imsdk/v1/options.proto\";\n" +
				"option go_package = \"example.com/" + pkg + "\";\n" + content
		}
		writeFile(t, filepath.Join(dir, name), content)
	}
	if output, err := program(t, dir, nil, "export-proto", "third_party").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	writeFile(t, filepath.Join(dir, "buf.gen.yaml"), "version: v2\ninputs:\n  - directory: proto\nplugins:\n"+
		"  - local: "+os.Args[0]+"\n    out: gen\n    strategy: "+strategy+"\n    opt: [paths=source_relative"+option+"]\n")
	buf, err := filepath.Abs("../bin/buf")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(buf); err != nil {
		t.Fatalf("run `make tools` first: %v", err)
	}
	command := exec.CommandContext(t.Context(), buf, append([]string{"generate"}, args...)...)
	command.Dir, command.Env = dir, append(os.Environ(), asPlugin+"=1")
	output, err := command.CombinedOutput()
	if (err != nil) != (len(output) > 0) {
		t.Errorf("buf ends with %v and says %q", err, output)
	}
	return readTree(t, filepath.Join(dir, "gen")), string(output)
}

func TestAnEnumsKindsMayLieInSeveralDirectories(t *testing.T) {
	t.Parallel()
	locked := maps.Clone(workspace)
	locked["imsdk.lock"] = lockOfAll
	atOnce, said := bufGenerate(t, workspace, "all", "")
	if len(atOnce) != 18 {
		t.Fatalf("there are %d files: %s", len(atOnce), said)
	}
	tests := []struct {
		name, strategy, option string
		files                  map[string]string
	}{
		{"a run for each", "directory", "", workspace},
		{"one run with a lock", "all", ",lock=imsdk.lock", locked},
		{"a run for each with a lock", "directory", ",lock=imsdk.lock", locked},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, said := bufGenerate(t, test.files, test.strategy, test.option)
			if !maps.Equal(got, atOnce) {
				t.Errorf("the output is another one: %v\n%s", slices.Sorted(maps.Keys(got)), said)
			}
			got, said = bufGenerate(t, test.files, test.strategy, test.option, "--path", "proto/type", "--path", "proto/poll")
			if len(got) != 12 {
				t.Errorf("of two directories there are %d files: %s", len(got), said)
			}
		})
	}
}

func TestWhatIsWrongWithTheLockIsToldWithBothStrategies(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, file, content, want string }{
		{
			"a value that no kind has", "proto/type/type.proto", strings.Replace(workspace["proto/type/type.proto"], "VOTE = 1002;", "VOTE = 1002;\n  LOST = 1003;", 1),
			"type/type.proto:11:3: IM009: enum value LOST",
		},
		{"a kind that is new", "imsdk.lock", "1000 type.Note proto both\n1001 poll.Poll proto both\n", "vote/vote.proto:7:3: IM021: message vote.Vote"},
		{"a number of a package that is not there", "imsdk.lock", lockOfAll[:52] + "1002 quiz.Quiz proto both\n", "vote/vote.proto:7:3: IM022: message vote.Vote: number 1002 (type.VOTE) is that of quiz.Quiz"},
		{"a file that is left out", "proto/poll/more.proto", "", "imsdk.lock:4:1: IM021: message poll.More is not a kind of this run"},
	}
	for _, test := range tests {
		for _, strategy := range []string{"all", "directory"} {
			t.Run(test.name+", "+strategy, func(t *testing.T) {
				t.Parallel()
				files := maps.Clone(workspace)
				files["imsdk.lock"] = lockOfAll
				files[test.file] = test.content
				if test.content == "" {
					files["imsdk.lock"] += "1003 poll.More proto both\n"
				}
				got, said := bufGenerate(t, files, strategy, ",lock=imsdk.lock")
				if !strings.Contains(said, test.want) || len(got) > 0 {
					t.Errorf("buf says\n%swant %q in it; there are %d files", said, test.want, len(got))
				}
			})
		}
	}
}

func TestAPartOfAPackageIsNotGenerated(t *testing.T) {
	t.Parallel()
	files := maps.Clone(workspace)
	files["proto/poll/poll.proto"] = `import "poll/vote.proto";` + workspace["proto/poll/poll.proto"]
	files["proto/poll/vote.proto"] = strings.Replace(workspace["proto/vote/vote.proto"], "Vote", "VoteToo", 1)
	delete(files, "proto/vote/vote.proto")
	files["imsdk.lock"] = strings.Replace(lockOfAll, "vote.Vote", "poll.VoteToo", 1)
	if got, said := bufGenerate(t, files, "all", ",lock=imsdk.lock"); len(got) != 12 {
		t.Errorf("all at once there are %d files: %s", len(got), said)
	}
	got, said := bufGenerate(t, files, "all", ",lock=imsdk.lock", "--path", "proto/poll/poll.proto")
	if want := "imsdk.lock:3:1: IM021: message poll.VoteToo is not a kind of this run"; !strings.Contains(said, want) || len(got) > 0 {
		t.Errorf("of one file there are %d: %s", len(got), said)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// readTree gives the files below a folder; one that is not there has none.
func readTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(content)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return files
}
