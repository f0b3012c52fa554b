// Package ownrepository_test does what docs/own-repository.md says, in an empty module outside this repository.
package ownrepository_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository.
const root = "../.."

const useIt = "Use and test it"

// block is a fenced block of the page: its language and its text.
var block = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// fileName is the first line of a block that is a file.
var fileName = regexp.MustCompile(`^(?://|#) (\S+)\n`)

func TestTheGuideWorksWithBuf(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "buf")
	r.follow("With buf")
	r.follow(useIt)
	for _, want := range []string{"1000 poll.v1.Poll proto both\n", "1001 poll.v1.Vote json both\n", "1100 poll.v2.Poll proto both\n"} {
		if lock := r.read("imsdk.lock"); !strings.Contains(lock, want) {
			t.Errorf("imsdk.lock has no line %q:\n%s", want, lock)
		}
	}
}

func TestTheGuideWorksInManagedMode(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "buf")
	for _, name := range []string{"proto/poll/v1/poll.proto", "proto/poll/v1/vote.proto", "proto/poll/v2/poll.proto"} {
		r.write(name, regexp.MustCompile(`(?m)^option go_package.*\n`).ReplaceAllString(r.read(name), ""))
	}
	r.writeFiles("With buf") // for its buf.yaml
	r.follow("Managed mode")
	r.follow(useIt)
}

func TestTheGuideWorksWithProtoc(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "protoc")
	r.follow("With protoc")
	r.follow(useIt)
}

// repository is a user's.
type repository struct {
	t        *testing.T
	dir      string
	path     string // of programs
	sections map[string]string
}

// newRepository makes one with a module and protos, if there is a compiler for these.
func newRepository(t *testing.T, compiler string) *repository {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs/own-repository.md"))
	if err != nil {
		t.Fatal(err)
	}
	tools, err := filepath.Abs(filepath.Join(root, "bin"))
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{
		t:        t,
		dir:      t.TempDir(),
		path:     strings.Join([]string{tools, os.Getenv("PATH")}, string(filepath.ListSeparator)),
		sections: make(map[string]string),
	}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		r.sections[name] = text
	}
	if output, err := r.command("command -v " + compiler).CombinedOutput(); err != nil {
		t.Fatalf("there is no %s, neither in bin/ nor in PATH: run `make tools`, or install it\n%s", compiler, output)
	}
	r.follow("The module")
	r.follow("The protos")
	return r
}

// follow writes the files of a section and runs its commands, in the section's order.
func (r *repository) follow(section string) {
	r.t.Helper()
	r.writeFiles(section)
	for _, found := range block.FindAllStringSubmatch(r.section(section), -1) {
		if found[1] == "sh" {
			r.run(found[2])
		}
	}
}

func (r *repository) section(name string) string {
	r.t.Helper()
	text, ok := r.sections[name]
	if !ok {
		r.t.Fatalf("docs/own-repository.md has no section %q", name)
	}
	return text
}

// writeFiles writes the blocks of a section that begin with a file's name.
func (r *repository) writeFiles(section string) {
	r.t.Helper()
	for _, found := range block.FindAllStringSubmatch(r.section(section), -1) {
		if name := fileName.FindStringSubmatch(found[2]); name != nil && found[1] != "sh" {
			r.write(name[1], found[2])
		}
	}
}

// run runs a block of commands. A user's `go get` finds the SDK in a registry, this one in the checkout.
func (r *repository) run(commands string) {
	r.t.Helper()
	checkout, err := filepath.Abs(root)
	if err != nil {
		r.t.Fatal(err)
	}
	const sdk = "github.com/game-im/im-grpc-sdk"
	commands = strings.Replace(commands, "go get "+sdk+"\n",
		"go mod edit -require="+sdk+"@v0.0.0 -replace="+sdk+"="+checkout+"\n", 1)
	if output, err := r.command(commands).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s\n%s", err, commands, output)
	}
}

func (r *repository) command(commands string) *exec.Cmd {
	command := exec.CommandContext(r.t.Context(), "bash", "-eu", "-o", "pipefail", "-c", commands)
	command.Dir = r.dir
	command.Env = append(os.Environ(), "PATH="+r.path, "GOWORK=off", "GOFLAGS=")
	return command
}

func (r *repository) write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) read(name string) string {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(content)
}
