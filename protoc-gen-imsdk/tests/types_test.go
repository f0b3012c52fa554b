package tests_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

// importable are the packages that generated code may import, ours and that of other plugins, besides what these import.
var importable = []string{
	"github.com/game-im/im-grpc-sdk/runtime/...",
	"github.com/envoyproxy/protoc-gen-validate/validate",
	"google.golang.org/protobuf/runtime/...",
	"google.golang.org/protobuf/types/...",
	"bytes", "context", "errors", "fmt", "iter", "maps", "net", "net/mail", "net/url", "reflect", "regexp", "slices", "sort",
	"strings", "sync", "testing", "time", "unicode/utf8", "unsafe",
}

// compiled are the importable packages as the go command has compiled them. It compiles what is not in its cache.
var compiled = sync.OnceValues(func() (types.Importer, error) {
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, importable...)
	command := exec.Command("go", args...)
	command.Dir = root // where every module is known that ours depends on
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(output)) {
		importPath, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[importPath] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(importPath string) (io.ReadCloser, error) {
		if files[importPath] == "" {
			return nil, fmt.Errorf("%s is not importable; if generated code may import it, add it to importable", importPath)
		}
		return os.Open(files[importPath])
	}), nil
})

// oneChecker is held by who type-checks: the importer is for one at a time.
var oneChecker sync.Mutex

// checkTypes type-checks Go sources, which are named by their import path and file name.
func checkTypes(sources map[string]string) error {
	oneChecker.Lock()
	defer oneChecker.Unlock()
	imports, err := compiled()
	if err != nil {
		return err
	}
	c := &checker{
		compiled: imports, fset: token.NewFileSet(),
		files: make(map[string][]*ast.File), checked: make(map[string]*types.Package),
	}
	for name, source := range sources {
		if path.Ext(name) != ".go" {
			continue
		}
		file, err := parser.ParseFile(c.fset, name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		c.files[path.Dir(name)] = append(c.files[path.Dir(name)], file)
	}
	for importPath := range c.files {
		if _, err := c.Import(importPath); err != nil {
			return err
		}
	}
	return nil
}

// checker imports the packages that it checks, and those that are compiled.
type checker struct {
	compiled types.Importer
	fset     *token.FileSet
	files    map[string][]*ast.File
	checked  map[string]*types.Package
}

func (c *checker) Import(importPath string) (*types.Package, error) {
	if pkg := c.checked[importPath]; pkg != nil {
		return pkg, nil
	}
	if len(c.files[importPath]) == 0 {
		return c.compiled.Import(importPath)
	}
	config := types.Config{Importer: c}
	pkg, err := config.Check(importPath, c.fset, c.files[importPath], nil)
	if err != nil {
		return nil, err
	}
	c.checked[importPath] = pkg
	return pkg, nil
}

// withMessages gives the output for a case, named by import path, together with what protoc-gen-go and, if contents are
// validated, protoc-gen-validate write for its messages and those that it imports.
func withMessages(t *testing.T, each testCase) map[string]string {
	t.Helper()
	request := each.request(t)
	request.Parameter = proto.String(strings.ReplaceAll(each.options(t), "paths=source_relative", "paths=import"))
	sources := generated(t, generate(t, request))
	request.FileToGenerate = nil
	for _, file := range request.GetProtoFile() { // imported ones too
		if strings.Contains(file.GetOptions().GetGoPackage(), "example.com") {
			request.FileToGenerate = append(request.FileToGenerate, file.GetName())
		}
	}
	others := []map[string]string{generated(t, plugin(t, "protoc-gen-go", request, "paths=import"))}
	if !strings.Contains(each.options(t), "validate=none") {
		others = append(others, generated(t, plugin(t, "protoc-gen-validate", request, "paths=import,lang=go")))
	}
	for _, other := range others {
		maps.Copy(sources, other)
	}
	maps.DeleteFunc(sources, func(name, _ string) bool { // the other half of a hybrid API, behind a build tag
		return strings.HasSuffix(name, "_protoopaque.pb.go")
	})
	return sources
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
