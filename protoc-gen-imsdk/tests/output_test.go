package tests_test

import (
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

var update = flag.Bool("update", false, "write the goldens anew")

func TestOutputIsThatOfTheGoldens(t *testing.T) {
	t.Parallel()
	for _, each := range cases(t, "output") {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			files := generated(t, generate(t, each.request(t)))
			want := filepath.Join(each.dir, "want")
			if *update {
				renew(t, want, files)
			}
			goldens := readTree(t, want, ".go", ".md")
			for name, content := range files {
				if content != goldens[name] {
					t.Errorf("%s differs from its golden, which the flag -update renews: %s", name, difference(content, goldens[name]))
				}
			}
			for name := range goldens {
				if _, ok := files[name]; !ok {
					t.Errorf("%s is not generated any more", name)
				}
			}
		})
	}
}

func TestOutputIsFormatted(t *testing.T) {
	t.Parallel()
	for _, each := range cases(t, "output") {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			for name, content := range readTree(t, filepath.Join(each.dir, "want"), ".go") {
				formatted, err := format.Source([]byte(content))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if content != string(formatted) {
					t.Errorf("%s is not as gofmt writes it", name)
				}
			}
		})
	}
}

func TestOutputNamesNoCompilerVersion(t *testing.T) {
	t.Parallel()
	request := testCase{name: "full", dir: "testdata/output/full"}.request(t)
	before := generated(t, generate(t, request))
	request.CompilerVersion = &pluginpb.Version{Major: proto.Int32(99)}
	if after := generated(t, generate(t, request)); !maps.Equal(before, after) {
		t.Error("the output depends on the compiler's version")
	}
}

func TestARunForEachDirectoryGivesWhatOneRunGives(t *testing.T) {
	t.Parallel()
	request := testCase{name: "two", dir: "testdata/output/two"}.request(t)
	atOnce := generated(t, generate(t, request))

	oneByOne := make(map[string]string)
	for _, dir := range []string{"a/v1/", "b/v1/"} {
		part := proto.CloneOf(request)
		part.FileToGenerate = slices.DeleteFunc(slices.Clone(request.GetFileToGenerate()), func(name string) bool {
			return !strings.HasPrefix(name, dir)
		})
		maps.Copy(oneByOne, generated(t, generate(t, part)))
	}
	if len(atOnce) == 0 || !maps.Equal(atOnce, oneByOne) {
		t.Errorf("at once: %v\none by one: %v", slices.Sorted(maps.Keys(atOnce)), slices.Sorted(maps.Keys(oneByOne)))
	}
}

// difference shows the first line that is another one.
func difference(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, gotLines[i], wantLines[i])
		}
	}
	return fmt.Sprintf("there are %d lines, want %d", len(gotLines), len(wantLines))
}

func renew(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	writeTree(t, dir, files)
}
