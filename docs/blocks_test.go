package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources says where the blocks of a language must stand: files with that suffix in these folders.
var sources = map[string]struct {
	suffix  string
	folders []string
}{
	"go":    {".go", []string{"examples"}},
	"proto": {".proto", []string{"proto", "examples/customkind/proto"}},
	"yaml":  {".yaml", []string{"examples/customkind"}},
}

// block matches a fenced block: its language and its text.
var block = regexp.MustCompile("(?ms)^ *```([a-z]+)\n(.*?)^ *```$")

func TestEveryBlockOfThePagesStandsInCodeThatCompiles(t *testing.T) {
	t.Parallel()
	texts := make(map[string][]string)
	for language, where := range sources {
		for _, folder := range where.folders {
			texts[language] = append(texts[language], filesBelow(t, folder, where.suffix)...)
		}
	}
	seen := 0
	for _, page := range pages(t) {
		if page == "docs/own-repository.md" {
			continue // docs/ownrepository runs its blocks
		}
		for _, found := range block.FindAllStringSubmatch(readFile(t, page), -1) {
			language, text := found[1], unindent(found[2])
			if _, ok := sources[language]; !ok {
				continue
			}
			seen++
			if !anyHas(texts[language], text) {
				t.Errorf("%s has a %s block that stands nowhere in %v:\n%s", page, language, sources[language].folders, found[2])
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d blocks were found: does the pattern still fit?", seen)
	}
}

// TestTheQuickstartShowsWhatItPrints compares the block that follows the quickstart with the Example's output.
func TestTheQuickstartShowsWhatItPrints(t *testing.T) {
	t.Parallel()
	test := readFile(t, "examples/docs/quickstart/main_test.go")
	_, output, ok := strings.Cut(test, "// Output:\n")
	if !ok {
		t.Fatal("the quickstart's Example has no output: nothing checks it")
	}
	output, _, _ = strings.Cut(output, "\n}")
	output = unindent(strings.ReplaceAll(output, "// ", ""))
	if readme := unindent(readFile(t, "README.md")); !strings.Contains(readme, "\n```text"+output+"```\n") {
		t.Errorf("README.md does not show what the quickstart prints:\n%s", output)
	}
}

// filesBelow are the texts of all files with a suffix, without indentation.
func filesBelow(t *testing.T, folder, suffix string) []string {
	t.Helper()
	var texts []string
	err := fs.WalkDir(os.DirFS(filepath.Join(root, folder)), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, suffix) {
			texts = append(texts, unindent(readFile(t, filepath.Join(folder, path))))
		}
		return err
	})
	if err != nil || len(texts) == 0 {
		t.Fatalf("no %s files in %s: %v", suffix, folder, err)
	}
	return texts
}

// unindent takes the indentation off each line, and the spaces that align comments.
func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return "\n" + strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

func anyHas(texts []string, part string) bool {
	for _, text := range texts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
