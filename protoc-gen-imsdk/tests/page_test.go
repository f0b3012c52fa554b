package tests_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	pageExample = regexp.MustCompile("(?ms)^```protobuf\n// (wrong|right)\n(.*?)^```$")
	pageLock    = regexp.MustCompile("(?ms)^```text\n# imsdk.lock\n(.*?)^```$")
	pageFile    = regexp.MustCompile(`(?m)^// (\S+\.proto)\n`)
)

// docs/diagnostics.md has examples of what is wrong and what is right.
func TestThePagesExamplesGiveTheirCodesAndNoOthers(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs/diagnostics.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		code, _, _ := strings.Cut(section, ":")
		for _, example := range pageExample.FindAllStringSubmatch(section, -1) {
			examples++
			t.Run(code+" "+example[1], func(t *testing.T) {
				t.Parallel()
				response := generate(t, pageCase(t, section, example[2]).request(t))
				if right := example[1] == "right"; right && response.Error != nil {
					t.Errorf("it is not right:\n%s", response.GetError())
				} else if !right && !onlyHas(response.GetError(), code) {
					t.Errorf("its findings are\n%s", response.GetError())
				}
			})
		}
	}
	if examples < 30 {
		t.Errorf("only %d examples were found: does the pattern still fit?", examples)
	}
}

// pageCase makes a case of an example: with the lock of its section, and what the examples leave out.
func pageCase(t *testing.T, section, example string) testCase {
	t.Helper()
	dir := t.TempDir()
	if lines := pageLock.FindStringSubmatch(section); lines != nil {
		path := filepath.Join(dir, "imsdk.lock")
		writeFile(t, path, lines[1])
		writeFile(t, filepath.Join(dir, "options"), "paths=source_relative,lock="+path)
	}
	names := pageFile.FindAllStringSubmatch(example, -1)
	bodies := pageFile.Split(example, -1)
	if len(names) == 0 {
		names, bodies = [][]string{{"", "poll/v1/poll.proto"}}, []string{"", example}
	}
	for i, name := range names {
		writeFile(t, filepath.Join(dir, name[1]), completed(bodies[i+1]))
	}
	return testCase{dir: dir}
}

// completed adds what an example leaves out.
func completed(example string) string {
	syntax := `syntax = "proto3";`
	for _, other := range []string{`syntax = "proto2";`, `edition = "2023";`} {
		if rest, ok := strings.CutPrefix(example, other); ok {
			syntax, example = other, rest
		}
	}
	if !strings.Contains(example, "package ") {
		syntax += "package poll.v1; option go_package = \"example.com/poll/v1;pollv1\";"
	}
	if !strings.Contains(example, "enum ") {
		example += "enum Type { option (imsdk.v1.kind_enum) = {}; TYPE_UNSPECIFIED = 0; TYPE_POLL = 1000; TYPE_VOTE = 1001; }"
	}
	return syntax + `import "imsdk/v1/options.proto"; import "validate/validate.proto";` + example
}

// onlyHas tells whether there are findings, and all have that code.
func onlyHas(findings, code string) bool {
	for line := range strings.Lines(findings) {
		if !strings.Contains(line, " "+code+": ") {
			return false
		}
	}
	return findings != ""
}
