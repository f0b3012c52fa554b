package tests_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/generator"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/options"
)

// asPlugin makes the test's program be the plugin, for buf and protoc to start.
const asPlugin = "BE_PROTOC_GEN_IMSDK"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		var opts options.Options
		generator.Options(&opts).Run(func(plugin *protogen.Plugin) error { return generator.Generate(plugin, &opts) })
		return
	}
	m.Run()
}

func TestBufGivesTheSameOutput(t *testing.T) {
	t.Parallel()
	for _, each := range withOutput(t) {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			workspace := each.workspace(t)
			for _, strategy := range []string{"all", "directory"} {
				template := fmt.Sprintf(`{"version": "v2", "plugins": [{"local": [%q], "out": %q, "strategy": %q, "opt": [%q]}]}`,
					os.Args[0], strategy, strategy, each.options(t))
				run(t, workspace, nil, tool(t, "buf"), "generate", "case", "--template", template)
				sameFiles(t, readTree(t, filepath.Join(workspace, strategy), ".go", ".md"), each)
			}
		})
	}
}

func TestProtocGivesTheSameOutput(t *testing.T) {
	t.Parallel()
	for _, each := range withOutput(t) {
		if each.has(t, regexp.MustCompile(`(?m)^edition\b`)) { // newer than Debian's protoc
			continue
		}
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			workspace := each.workspace(t)
			args := []string{"-Icase", "-Iimported", "--plugin=protoc-gen-imsdk=" + os.Args[0], "--imsdk_out=.", "--imsdk_opt=" + each.options(t)}
			args = append(args, slices.Sorted(maps.Keys(each.toGenerate(t)))...)
			run(t, workspace, nil, tool(t, "protoc"), args...)
			sameFiles(t, readTree(t, workspace, ".go", ".md"), each)
		})
	}
}

// Of the same mistakes real buf makes the same findings. Only the column of an option may be another one: buf counts from
// the option's name, protoc from the word option.
func TestBufGivesTheSameFindings(t *testing.T) {
	t.Parallel()
	column := regexp.MustCompile(`(?m)(^|\()(\S+\.proto:\d+):\d+`)
	for _, each := range cases(t, "diagnostics") {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			want := generate(t, each.request(t)).GetError()
			got := generate(t, each.requestOfBuf(t)).GetError()
			if column.ReplaceAllString(got, "$1$2") != column.ReplaceAllString(want, "$1$2") {
				t.Errorf("with buf the findings are\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// withOutput are the cases whose protos are right.
func withOutput(t *testing.T) []testCase {
	t.Helper()
	return slices.DeleteFunc(slices.Concat(cases(t, "output"), cases(t, "hazards")), func(each testCase) bool {
		_, err := os.Stat(filepath.Join(each.dir, "want.txt"))
		return err == nil
	})
}

// requestOfBuf is what buf sends to the plugin.
func (c testCase) requestOfBuf(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	image := run(t, c.workspace(t), nil, tool(t, "buf"), "build", "--as-file-descriptor-set", "-o", "-")
	files := new(descriptorpb.FileDescriptorSet)
	if err := proto.Unmarshal(image, files); err != nil {
		t.Fatal(err)
	}
	return &pluginpb.CodeGeneratorRequest{
		FileToGenerate: slices.Sorted(maps.Keys(c.toGenerate(t))),
		Parameter:      proto.String(c.options(t)),
		ProtoFile:      files.GetFile(),
	}
}

// workspace is a folder with the case's protos in case/, and what these may import in imported/.
func (c testCase) workspace(t *testing.T) string {
	t.Helper()
	workspace := t.TempDir()
	writeTree(t, filepath.Join(workspace, "case"), c.toGenerate(t))
	writeTree(t, filepath.Join(workspace, "imported"), c.imported(t))
	writeFile(t, filepath.Join(workspace, "buf.yaml"), "version: v2\nmodules: [{path: case}, {path: imported}]\n")
	return workspace
}

// has tells whether a file to generate, or one that the case has for it to import, matches.
func (c testCase) has(t *testing.T, line *regexp.Regexp) bool {
	t.Helper()
	for _, source := range readTree(t, c.dir, ".proto") {
		if line.MatchString(source) {
			return true
		}
	}
	return false
}

// sameFiles compares files with what the plugin writes for a case in this process.
func sameFiles(t *testing.T, files map[string]string, each testCase) {
	t.Helper()
	want := generated(t, generate(t, each.request(t)))
	if !maps.Equal(files, want) {
		t.Errorf("the files are %q, want %q, each with the same content",
			slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(want)))
	}
}
