package runtime_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// only imports one package.
type only struct{ pkg *types.Package }

func (o only) Import(string) (*types.Package, error) { return o.pkg, nil }

// compile checks generated code of one version against the constants of version.go.
func compile(t *testing.T, version int) error {
	t.Helper()
	files := token.NewFileSet()
	parse := func(name string, source any) []*ast.File {
		file, err := parser.ParseFile(files, name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		return []*ast.File{file}
	}
	pkg, err := (&types.Config{}).Check("runtime", files, parse("version.go", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	generated := fmt.Sprintf(`package generated

import "runtime"

const (
	_ = runtime.EnforceVersion(%[1]d - runtime.MinVersion)
	_ = runtime.EnforceVersion(runtime.MaxVersion - %[1]d)
)
`, version)
	_, err = (&types.Config{Importer: only{pkg}}).Check("generated", files, parse("generated.go", generated), nil)
	return err
}

func TestGeneratedCodeOfAnotherVersionDoesNotCompile(t *testing.T) {
	t.Parallel()
	if err := compile(t, 1); err != nil {
		t.Errorf("code of this version: %v", err)
	}
	for _, version := range []int{0, 2} {
		if compile(t, version) == nil {
			t.Errorf("code of version %d compiles", version)
		}
	}
}
