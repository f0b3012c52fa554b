package generator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

// The goldens' output, with that of protoc-gen-go and protoc-gen-validate, is a module that the compiler and go vet take.
func TestOutputCompilesAndIsVetted(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for _, each := range cases(t, "output") {
		request := each.request(t)
		parameter := strings.ReplaceAll(each.options(t), "paths=source_relative", "paths=import")
		request.Parameter = proto.String(parameter)
		write(t, module, generate(t, request))

		request.FileToGenerate = nil
		for _, file := range request.GetProtoFile() { // imported ones too
			if strings.Contains(file.GetOptions().GetGoPackage(), "example.com") {
				request.FileToGenerate = append(request.FileToGenerate, file.GetName())
			}
		}
		write(t, module, plugin(t, "protoc-gen-go", request, "paths=import"))
		write(t, module, plugin(t, "protoc-gen-validate", request, "paths=import,lang=go"))
	}
	writeModule(t, filepath.Join(module, "example.com"), "example.com")
	run(t, filepath.Join(module, "example.com"), nil, "go", "vet", "-mod=mod", "./...")
}

// plugin runs somebody else's plugin.
func plugin(
	t *testing.T, name string, request *pluginpb.CodeGeneratorRequest, parameter string,
) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	request = proto.CloneOf(request)
	request.Parameter = proto.String(parameter)
	input, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	response := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(run(t, ".", input, tool(t, name)), response); err != nil {
		t.Fatal(err)
	}
	return response
}

func write(t *testing.T, dir string, response *pluginpb.CodeGeneratorResponse) {
	t.Helper()
	for name, content := range generated(t, response) {
		writeFile(t, filepath.Join(dir, name), content)
	}
}

// writeModule makes a folder a module that uses this repository with the versions of its go.mod.
func writeModule(t *testing.T, dir, name string) {
	t.Helper()
	path, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	const ours = "github.com/game-im/im-grpc-sdk"
	for _, file := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		written := strings.Replace(string(content), "module "+ours, "module "+name, 1)
		if file == "go.mod" {
			written += "\nrequire " + ours + " v0.0.0\n\nreplace " + ours + " => " + path + "\n"
		}
		writeFile(t, filepath.Join(dir, file), written)
	}
}
