package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// originals are the files that export-proto writes, and where they come from.
var originals = map[string]string{
	"imsdk/v1/options.proto":  "proto/imsdk/v1/options.proto",
	"imsdk/LICENSE":           "LICENSE",
	"validate/validate.proto": "third_party/protoc-gen-validate/validate/validate.proto",
	"validate/LICENSE":        "third_party/protoc-gen-validate/LICENSE",
}

func TestExportProtoWritesTheProtosWithTheirLicences(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "third_party")
	got := run(t, nil, "export-proto", dir)
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	for name, original := range originals {
		path := filepath.Join(dir, name)
		if readFile(t, path) != readFile(t, filepath.Join(root, original)) {
			t.Errorf("%s is not %s", name, original)
		}
		if !strings.Contains(got.stdout, "wrote "+path+"\n") {
			t.Errorf("it does not say that it wrote %s:\n%s", path, got.stdout)
		}
	}
	if again := run(t, nil, "export-proto", dir); again.code != 0 || strings.Count(again.stdout, " is up to date\n") != len(originals) {
		t.Errorf("a second time: exit code %d\n%s%s", again.code, again.stdout, again.stderr)
	}
}

func TestExportProtoOverwritesNothingUnlessItIsForced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changed := filepath.Join(dir, "validate/validate.proto")
	writeFile(t, changed, "mine")
	got := run(t, nil, "export-proto", dir)
	if got.code != 1 || !strings.Contains(got.stderr, changed+" is there and differs; -force overwrites it") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	if readFile(t, changed) != "mine" {
		t.Error("the file was overwritten")
	}
	if _, err := os.Stat(filepath.Join(dir, "imsdk")); err == nil {
		t.Error("some files were written")
	}
	if got := run(t, nil, "export-proto", "-force", dir); got.code != 0 || readFile(t, changed) == "mine" {
		t.Errorf("with -force: exit code %d: %s", got.code, got.stderr)
	}
}
