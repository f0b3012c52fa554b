package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root = "../.." // the repository

	enumValue = "  // ReactionContent.\n  POLL_TYPE_REACTION = 1001;\n"
	message   = `
// ReactionContent is what somebody thinks of a poll.
message ReactionContent {
  option (imsdk.v1.kind) = {type: "POLL_TYPE_REACTION"};

  // One emoji, up to 32 bytes.
  string emoji = 1 [(validate.rules).string = {
    min_bytes: 1
    max_bytes: 32
  }];
}
`
)

func TestAnotherKindTakesOneMessageAndOneEnumValue(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	path := buildTools(t, repository)
	module := filepath.Join(t.TempDir(), "customkind")
	copyModule(t, module)
	run := func(name string, args ...string) string {
		return command(t, module, path, name, args...)
	}
	run("go", "mod", "edit", "-replace=github.com/game-im/im-grpc-sdk="+repository)

	proto := filepath.Join(module, "proto/poll/v1/poll.proto")
	edit(t, proto, "  POLL_TYPE_POLL = 1000;\n", "  POLL_TYPE_POLL = 1000;\n"+enumValue)
	edit(t, proto, "\n// Poll asks", message+"\n// Poll asks")
	run("buf", "build", "-o", "image.binpb")
	if output := run("protoc-gen-imsdk", "lock", "-image", "image.binpb"); output != "new: 1001 poll.v1.ReactionContent proto both\nwrote imsdk.lock\n" {
		t.Errorf("the lock says\n%s", output)
	}
	run("buf", "generate")
	if err := os.Rename(filepath.Join(module, "testdata/reaction_test.go"), filepath.Join(module, "reaction_test.go")); err != nil {
		t.Fatal(err)
	}
	if output := run("go", "test", "-v", "-run", "^TestAReactionTravels$", "."); !strings.Contains(output, "--- PASS: TestAReactionTravels") {
		t.Errorf("the test of reactions did not run:\n%s", output)
	}
	if output := run("go", "run", "."); !strings.Contains(output, "bob is asked by ann") {
		t.Errorf("go run gives\n%s", output)
	}
}

func TestImportedProtosAreThoseOfThePlugin(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(t.TempDir(), "customkind")
	copyModule(t, module)
	output := command(t, module, buildTools(t, repository), "protoc-gen-imsdk", "export-proto", "third_party")
	if strings.Contains(output, "wrote") {
		t.Errorf("something was missing:\n%s", output)
	}
}

// buildTools gives a PATH in which buf and the plugins are, built from the repository.
func buildTools(t *testing.T, repository string) string {
	t.Helper()
	path := filepath.Join(repository, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH")
	command(t, repository, path, "make", "bin/buf.stamp", "bin/protogen.stamp", "bin/protoc-gen-imsdk")
	return path
}

// copyModule copies this module, without the tests and without what is generated.
func copyModule(t *testing.T, to string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "gen":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o750)
		case strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "testdata/"):
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// edit replaces one piece of a file.
func edit(t *testing.T, name, old, replacement string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if count := strings.Count(string(content), old); count != 1 {
		t.Fatalf("%s has %q %d times", name, old, count)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(content), old, replacement, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs a command with a PATH and gives its output.
func command(t *testing.T, dir, path, name string, args ...string) string {
	t.Helper()
	t.Log(name, strings.Join(args, " "))
	made := exec.CommandContext(t.Context(), "env", append([]string{"PATH=" + path, name}, args...)...)
	made.Dir = dir
	made.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	output, err := made.CombinedOutput()
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output))
	}
	return string(output)
}
