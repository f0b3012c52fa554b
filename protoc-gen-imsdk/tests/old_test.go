package tests_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a version has generated goes on compiling, without being generated again. testdata/old has a folder for each version
// that the runtime takes (runtime/version.go): the goldens' output when the version was new, with stubs for the messages.
// The flag -update writes the folder of a new version and leaves the others.
func TestOldOutputCompiles(t *testing.T) {
	t.Parallel()
	current := freeze(t)
	versions, err := filepath.Glob("testdata/old/v*")
	if err != nil || len(versions) == 0 {
		t.Fatalf("no old output: %v", err)
	}
	known := false
	for _, version := range versions {
		known = known || version == current
		t.Run(filepath.Base(version), func(t *testing.T) {
			t.Parallel()
			if err := checkTypes(readTree(t, version, ".go")); err != nil {
				t.Error(err)
			}
		})
	}
	if !known {
		t.Errorf("%s is missing: the flag -update writes it", current)
	}
}

// freeze gives the folder of the current version's output, and with the flag -update writes it if it is not there.
func freeze(t *testing.T) string {
	t.Helper()
	sources := make(map[string]string)
	for _, each := range cases(t, "output") {
		request := each.request(t)
		request.Parameter = nil
		maps.Copy(sources, generated(t, generate(t, request)))
		messages := stubs(t, request)
		maps.DeleteFunc(messages, func(name, _ string) bool { return !strings.HasPrefix(name, "example.com/") })
		maps.Copy(sources, messages)
	}
	version := regexp.MustCompile(`EnforceVersion\((\d+) - runtime\.MinVersion\)`)
	for _, source := range sources {
		if found := version.FindStringSubmatch(source); found != nil {
			folder := "testdata/old/v" + found[1]
			if _, err := os.Stat(folder); err != nil && *update {
				writeTree(t, folder, sources)
			}
			return folder
		}
	}
	t.Fatal("no output names its version")
	return ""
}
