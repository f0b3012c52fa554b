package tests_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/pluginpb"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/generator"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/options"
)

// A case is a folder in testdata with protos to generate, protos that these import in imported/, and the plugin's
// options in the file options, if they are not paths=source_relative.
type testCase struct {
	name, dir string
}

func cases(t *testing.T, kind string) []testCase {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("testdata", kind))
	if err != nil {
		t.Fatal(err)
	}
	found := make([]testCase, len(entries))
	for i, entry := range entries {
		found[i] = testCase{name: entry.Name(), dir: filepath.Join("testdata", kind, entry.Name())}
	}
	return found
}

// request is what buf or protoc would send to the plugin.
func (c testCase) request(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	if c.has(t, regexp.MustCompile(`(?m)^edition = "2024"`)) { // newer than what compiles here
		return c.requestOfBuf(t)
	}
	generate := c.toGenerate(t)
	sources := c.imported(t)
	maps.Copy(sources, generate)
	return compile(t, sources, slices.Sorted(maps.Keys(generate)), c.options(t))
}

// toGenerate are the protos to generate, by path.
func (c testCase) toGenerate(tb testing.TB) map[string]string {
	tb.Helper()
	files := readTree(tb, c.dir, ".proto")
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, "imported/") })
	return files
}

// imported are the protos that these may import: ours, those with rules for validation, and the case's own.
func (c testCase) imported(tb testing.TB) map[string]string {
	tb.Helper()
	files := readTree(tb, filepath.Join(root, "proto"), ".proto")
	maps.Copy(files, readTree(tb, filepath.Join(root, "third_party/protoc-gen-validate"), ".proto"))
	maps.Copy(files, readTree(tb, filepath.Join(c.dir, "imported"), ".proto"))
	return files
}

func (c testCase) options(tb testing.TB) string {
	tb.Helper()
	written, err := os.ReadFile(filepath.Join(c.dir, "options"))
	if err != nil {
		return "paths=source_relative"
	}
	return strings.TrimSpace(string(written))
}

// generate runs our plugin in this process.
func generate(tb testing.TB, request *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorResponse {
	tb.Helper()
	var opts options.Options
	plugin, err := generator.Options(&opts).New(request)
	if err != nil {
		tb.Fatal(err)
	}
	if err := generator.Generate(plugin, &opts); err != nil {
		plugin.Error(err)
	}
	return plugin.Response()
}

// generated are the files of a response, by name.
func generated(tb testing.TB, response *pluginpb.CodeGeneratorResponse) map[string]string {
	tb.Helper()
	if response.Error != nil {
		tb.Fatal(response.GetError())
	}
	files := make(map[string]string)
	for _, file := range response.GetFile() {
		if _, ok := files[file.GetName()]; ok {
			tb.Errorf("%s is generated twice", file.GetName())
		}
		files[file.GetName()] = file.GetContent()
	}
	return files
}

// readTree gives the files below a folder that have one of some extensions, by path. A folder that is not there has none.
func readTree(tb testing.TB, dir string, extensions ...string) map[string]string {
	tb.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains(extensions, filepath.Ext(name)) {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	return files
}

func writeTree(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, content := range files {
		writeFile(tb, filepath.Join(dir, name), content)
	}
}

func writeFile(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}
