package generator_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
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

// request is what buf would send to the plugin.
func (c testCase) request(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	workspace := t.TempDir()
	copyTree(t, filepath.Join(root, "proto/imsdk"), filepath.Join(workspace, "imsdk"), ".proto")
	copyTree(t, filepath.Join(root, "third_party/protoc-gen-validate"), workspace, ".proto")
	copyTree(t, filepath.Join(c.dir, "imported"), workspace, ".proto")
	generate := copyTree(t, c.dir, workspace, ".proto")
	generate = slices.DeleteFunc(generate, func(name string) bool { return strings.HasPrefix(name, "imported/") })
	if err := os.RemoveAll(filepath.Join(workspace, "imported")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(workspace, "buf.yaml"), "version: v2\n")

	image := run(t, workspace, nil, tool(t, "buf"), "build", "--as-file-descriptor-set", "-o", "-")
	var files descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(image, &files); err != nil {
		t.Fatal(err)
	}
	return &pluginpb.CodeGeneratorRequest{
		FileToGenerate: generate,
		Parameter:      proto.String(c.options(t)),
		ProtoFile:      files.GetFile(),
	}
}

func (c testCase) options(t *testing.T) string {
	t.Helper()
	written, err := os.ReadFile(filepath.Join(c.dir, "options"))
	if err != nil {
		return "paths=source_relative"
	}
	return strings.TrimSpace(string(written))
}

// generate runs our plugin in this process.
func generate(t *testing.T, request *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	var opts options.Options
	plugin, err := generator.Options(&opts).New(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := generator.Generate(plugin, &opts); err != nil {
		plugin.Error(err)
	}
	return plugin.Response()
}

// generated are the files of a response, by name.
func generated(t *testing.T, response *pluginpb.CodeGeneratorResponse) map[string]string {
	t.Helper()
	if response.Error != nil {
		t.Fatal(response.GetError())
	}
	files := make(map[string]string)
	for _, file := range response.GetFile() {
		if _, ok := files[file.GetName()]; ok {
			t.Errorf("%s is generated twice", file.GetName())
		}
		files[file.GetName()] = file.GetContent()
	}
	return files
}

// copyTree copies the files with an extension and gives their paths below from. A folder that is not there is empty.
func copyTree(t *testing.T, from, to, extension string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != extension {
			return err
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		names = append(names, name)
		writeFile(t, filepath.Join(to, name), string(content))
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return names
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tryRun(t *testing.T, dir string, stdin []byte, name string, args ...string) ([]byte, error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	command.Stdin = bytes.NewReader(stdin)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.Bytes(), nil
}
