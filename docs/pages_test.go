// Package docs_test holds README.md and the pages beside it to the code: no block, option, default or error text of theirs may
// differ from what is really there. It is in the root module, above everything that it reads, because the go command takes
// no notice of changes outside a test's own module when it looks for a cached result.
//
// The pages' code itself stands in examples/docs and in the other examples, where it is compiled and run.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// root is the repository's.
const root = ".."

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are README.md and everything in docs/.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"README.md"}
	entries, err := fs.Glob(os.DirFS(root), "docs/*.md")
	if err != nil || len(entries) == 0 {
		t.Fatalf("there are no pages in docs/: %v", err)
	}
	return append(found, entries...)
}
