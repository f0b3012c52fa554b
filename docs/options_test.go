package docs_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// optionPackages are those whose options README.md lists.
var optionPackages = []string{"runtime", "runtime/session", "runtime/server"}

// realOptions are the functions that make an option, "session.WithUser", and what their comments call the default.
func realOptions(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, folder := range optionPackages {
		pkg := parsePackage(t, filepath.Join(root, folder))
		functions := slices.Clone(pkg.Funcs)
		for _, kind := range pkg.Types {
			functions = append(functions, kind.Funcs...)
		}
		for _, function := range functions {
			if makesOption(function.Decl) {
				found[pkg.Name+"."+function.Name] = defaultOf(function.Doc)
			}
		}
	}
	return found
}

func parsePackage(t *testing.T, folder string) *doc.Package {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no package in %s: %v", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(set, files, "github.com/game-im/im-grpc-sdk/"+filepath.ToSlash(folder))
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// makesOption tells whether a function returns nothing but an …Option of its package.
func makesOption(function *ast.FuncDecl) bool {
	results := function.Type.Results
	if function.Recv != nil || results.NumFields() != 1 {
		return false
	}
	name, ok := results.List[0].Type.(*ast.Ident)
	return ok && strings.HasSuffix(name.Name, "Option")
}

// defaultOf is what stands behind "Default:" in a comment, in one line.
func defaultOf(comment string) string {
	_, text, _ := strings.Cut(strings.Join(strings.Fields(comment), " "), "Default: ")
	return text
}

// optionRow is a line of a table whose first cell is an option: name, arguments, what it does, default.
var optionRow = regexp.MustCompile("(?m)^\\| `([a-z]+\\.[A-Z][A-Za-z]*)(?:\\([^`|]*\\))?` \\| ([^|]+) \\| ([^|]+) \\|$")

func TestTheREADMEHasEveryOptionWithItsDefault(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	listed := make(map[string]string)
	for _, row := range optionRow.FindAllStringSubmatch(readme, -1) {
		if _, twice := listed[row[1]]; twice {
			t.Errorf("README.md lists %s twice", row[1])
		}
		listed[row[1]] = row[3]
	}
	found := realOptions(t)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		said, ok := listed[name]
		if !ok {
			t.Errorf("README.md has no row for the option %s; a row begins with | `%s(…)` |", name, name)
			continue
		}
		if said = strings.TrimSpace(said); found[name] != "" && !sameDefault(found[name], said) {
			t.Errorf("README.md says of %s: default %q; its comment begins with %q", name, said, found[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if _, ok := found[name]; !ok {
			t.Errorf("README.md has a row for %s, which is no option", name)
		}
	}
}

// sameDefault tells whether a cell says what a comment says, or its beginning.
func sameDefault(comment, cell string) bool {
	plain := func(text string) string { return strings.ReplaceAll(strings.TrimSuffix(text, "."), "`", "") }
	rest, ok := strings.CutPrefix(plain(comment), plain(cell))
	return ok && (rest == "" || strings.ContainsAny(rest[:1], ".,;: "))
}
