package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const diagnosticsPage = "docs/diagnostics.md"

var (
	codeConstant = regexp.MustCompile(`Code = "(IM\d{3})"`)
	codeSection  = regexp.MustCompile(`(?m)^## (IM\d{3}): `)
	codeGolden   = regexp.MustCompile(`/testdata/diagnostics/(im\d{3})_[a-z0-9_]+$`)
)

// The generator's own tests give the page's examples to it.
func TestEveryCodeOfTheGeneratorHasASectionAndAGolden(t *testing.T) {
	t.Parallel()
	var codes, sections, goldens []string
	for _, found := range codeConstant.FindAllStringSubmatch(readFile(t, "protoc-gen-imsdk/internal/diag/code.go"), -1) {
		codes = append(codes, found[1])
	}
	for _, found := range codeSection.FindAllStringSubmatch(readFile(t, diagnosticsPage), -1) {
		sections = append(sections, found[1])
	}
	err := fs.WalkDir(os.DirFS(filepath.Join(root, "protoc-gen-imsdk")), ".", func(path string, entry fs.DirEntry, err error) error {
		if found := codeGolden.FindStringSubmatch("/" + path); err == nil && entry.IsDir() && found != nil {
			goldens = append(goldens, strings.ToUpper(found[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(codes) < 10 {
		t.Fatalf("only %d codes were found: does the pattern still fit?", len(codes))
	}
	if !slices.Equal(sections, codes) {
		t.Errorf("%s has sections for\n%v, and the codes are\n%v", diagnosticsPage, sections, codes)
	}
	if goldens = slices.Compact(slices.Sorted(slices.Values(goldens))); !slices.Equal(goldens, codes) {
		t.Errorf("testdata/diagnostics has goldens of\n%v, and the codes are\n%v", goldens, codes)
	}
}
