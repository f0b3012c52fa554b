package tests_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// The modules of tools/corpus that ship protos, with the folder and the prefix that make a file's path what others import.
var corpus = []struct{ module, folder, prefix string }{
	{"cel.dev/expr", "proto", ""},
	{"github.com/containerd/containerd/api", "", ""},
	{"github.com/envoyproxy/protoc-gen-validate", "", ""},
	{"github.com/grpc-ecosystem/grpc-gateway/v2", "", ""},
	{"google.golang.org/grpc", "", ""},
	{"google.golang.org/protobuf", "", ""},
	{"istio.io/api", "", ""},
	{"istio.io/api", "common-protos", ""},
	{"k8s.io/api", "", "k8s.io/api/"},
	{"k8s.io/apimachinery", "", "k8s.io/apimachinery/"},
}

// Real protos have no kinds: the plugin takes them and writes nothing. With a kind planted on each of their messages there
// is output that compiles.
func TestRealProtosWithAndWithoutKinds(t *testing.T) {
	t.Parallel()
	sources, generate := corpusSources(t)
	var compiled, kinds atomic.Int32
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		for _, name := range generate {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				request, err := tryCompile(t, sources, []string{name})
				if err == nil {
					err = nameGoPackages(request)
				}
				if err != nil { // it is wrong on purpose, too new or too old, or no module has what it imports
					t.Log(err)
					return
				}
				compiled.Add(1)
				kinds.Add(int32(checkReal(t, request)))
			})
		}
	})
	t.Cleanup(func() {
		t.Logf("%d of %d files compiled; their %d messages became kinds", compiled.Load(), len(generate), kinds.Load())
		if compiled.Load() < 300 || kinds.Load() < 1000 {
			t.Error("the test wants 300 files and 1000 kinds")
		}
	})
}

// corpusSources gives the protos of the corpus, by import path, and those to generate.
func corpusSources(t *testing.T) (sources map[string]string, generate []string) {
	t.Helper()
	folders := corpusFolders(t)
	sources = make(map[string]string)
	for _, each := range corpus {
		files := readTree(t, filepath.Join(folders[each.module], each.folder), ".proto")
		for name, content := range files {
			if !strings.HasPrefix(name, "google/protobuf/") { // the compiler has its own
				sources[each.prefix+name] = content
			}
		}
	}
	seen := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(sources)) { // some files have two paths
		if content := sources[name]; !seen[content] {
			seen[content] = true
			generate = append(generate, name)
		}
	}
	return sources, generate
}

// corpusFolders gives the folders of the modules, which the go command downloads if nobody has done so yet.
func corpusFolders(t *testing.T) map[string]string {
	t.Helper()
	args := []string{"mod", "download", "-json"}
	for _, each := range corpus {
		args = append(args, each.module)
	}
	folders := make(map[string]string)
	decoder := json.NewDecoder(bytes.NewReader(run(t, filepath.Join(root, "tools/corpus"), nil, "go", args...)))
	for {
		var module struct {
			Path string `json:"Path"` //nolint:tagliatelle // as the go command writes it
			Dir  string `json:"Dir"`  //nolint:tagliatelle // the same
		}
		if err := decoder.Decode(&module); errors.Is(err, io.EOF) {
			return folders
		} else if err != nil {
			t.Fatal(err)
		}
		folders[module.Path] = module.Dir
	}
}
