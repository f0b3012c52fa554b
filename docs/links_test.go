package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

func TestEveryLinkOfThePagesLeadsSomewhere(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, page := range append(pages(t), "CONTRIBUTING.md", "CHANGELOG.md") {
		for _, found := range link.FindAllStringSubmatch(readFile(t, page), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			seen++
			to, anchor, _ := strings.Cut(found[1], "#")
			target := page
			if to != "" {
				target = path.Join(path.Dir(page), to)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
				continue
			}
			if anchor != "" && !hasHeading(readFile(t, target), anchor) {
				t.Errorf("%s links to %s, but there is no such heading", page, found[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d links were found: does the pattern still fit?", seen)
	}
}

// hasHeading tells whether a page has a heading with that anchor, as GitHub makes anchors of headings.
func hasHeading(page, anchor string) bool {
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		words := strings.Map(func(char rune) rune {
			switch {
			case char == ' ':
				return '-'
			case strings.ContainsRune(",.:;'’`!?()…/", char):
				return -1
			}
			return char
		}, strings.ToLower(found[1]))
		if words == anchor {
			return true
		}
	}
	return false
}
