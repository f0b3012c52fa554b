package tests_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// root is the repository, from this package's folder.
const root = "../.."

// makes is held by who calls make: two at a time would build the same.
var makes sync.Mutex

// tool gives the path of a tool, which is built or fetched if nobody has done so yet.
func tool(t *testing.T, name string) string {
	t.Helper()
	makes.Lock()
	defer makes.Unlock()
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		target, ok := map[string]string{"buf": "bin/buf.stamp", "protoc": "bin/protoc"}[name]
		if !ok {
			target = "bin/protogen.stamp"
		}
		run(t, root, nil, "make", target)
	}
	return path
}

// run runs a command in a folder and gives what it writes to its standard output.
func run(t *testing.T, dir string, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", asPlugin+"=1")
	command.Stdin = bytes.NewReader(stdin)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.Bytes()
}
