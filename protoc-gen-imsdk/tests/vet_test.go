package tests_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputCompiles(t *testing.T) {
	t.Parallel()
	for _, each := range cases(t, "output") {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			if err := checkTypes(withMessages(t, each)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The goldens' output is a module that go vet takes.
func TestOutputIsVetted(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for _, each := range cases(t, "output") {
		writeTree(t, module, withMessages(t, each))
	}
	writeModule(t, filepath.Join(module, "example.com"), "example.com")
	run(t, filepath.Join(module, "example.com"), nil, "go", "vet", "-mod=mod", "./...")
}

// writeModule makes a folder a module that uses this repository with the versions of its go.mod.
func writeModule(t *testing.T, dir, name string) {
	t.Helper()
	path, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	const ours = "github.com/game-im/im-grpc-sdk"
	for _, file := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		written := strings.Replace(string(content), "module "+ours, "module "+name, 1)
		if file == "go.mod" {
			written += "\nrequire " + ours + " v0.0.0\n\nreplace " + ours + " => " + path + "\n"
		}
		writeFile(t, filepath.Join(dir, file), written)
	}
}
