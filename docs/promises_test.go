package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThePromisesNameTestsAndFilesThatExist holds docs/promises.md to the code.
func TestThePromisesNameTestsAndFilesThatExist(t *testing.T) {
	t.Parallel()
	tests, files := map[string]bool{}, map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)`)
	err := fs.WalkDir(os.DirFS(root), "runtime", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		files[filepath.Base(path)] = true
		if strings.HasSuffix(path, "_test.go") {
			for _, match := range declared.FindAllStringSubmatch(readFile(t, path), -1) {
				tests[match[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page := readFile(t, "docs/promises.md")
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(page, -1)
	if len(named) < 30 {
		t.Errorf("docs/promises.md names %d tests", len(named))
	}
	for _, match := range named {
		if !tests[match[1]] {
			t.Errorf("docs/promises.md names %s, which is no test", match[1])
		}
	}
	for _, name := range regexp.MustCompile(`\w+\.go\b`).FindAllString(page, -1) {
		if !files[name] {
			t.Errorf("docs/promises.md names %s, which is no file", name)
		}
	}
}
