package generator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// root is the repository, from this package's folder.
const root = "../../.."

var buildTools = sync.OnceValues(func() ([]byte, error) {
	return exec.Command("make", "-C", root, "bin/buf.stamp", "bin/protogen.stamp").CombinedOutput()
})

// tool gives the path of a pinned tool, which is built if nobody has done so yet.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if output, err := buildTools(); err != nil {
			t.Fatalf("building the tools: %v\n%s", err, output)
		}
	}
	return path
}

// run runs a command in a folder and gives what it writes to its standard output.
func run(t *testing.T, dir string, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	output, err := tryRun(t, dir, stdin, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}
