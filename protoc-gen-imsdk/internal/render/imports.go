package render

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// tidyImports writes the import block as a person would: the standard library first, and no name where the path says
// it. protogen writes one group and every name.
func tidyImports(content []byte) ([]byte, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "", content, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("generated code does not parse: %w", err)
	}
	if len(parsed.Decls) == 0 {
		return content, nil
	}
	imports := make([]imported, len(parsed.Imports))
	for i, spec := range parsed.Imports {
		if imports[i], err = importedBy(spec); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(imports, func(a, b imported) int { return cmp.Compare(a.path, b.path) })
	var standard, others []string
	for _, each := range imports {
		if each.isStandard() {
			standard = append(standard, each.line())
		} else {
			others = append(others, each.line())
		}
	}
	if len(standard) > 0 && len(others) > 0 {
		standard = append(standard, "")
	}
	block := "import (\n" + strings.Join(append(standard, others...), "\n") + "\n)"

	decl := parsed.Decls[0]
	start, end := fset.Position(decl.Pos()).Offset, fset.Position(decl.End()).Offset
	return bytes.Join([][]byte{content[:start], []byte(block), content[end:]}, nil), nil
}

// imported is one line of the block.
type imported struct {
	path string
	// name is what the package declares, alias what the file calls it.
	name, alias string
}

func importedBy(spec *ast.ImportSpec) (imported, error) {
	marked, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return imported{}, fmt.Errorf("generated code imports %s: %w", spec.Path.Value, err)
	}
	importPath, name := cutName(marked)
	return imported{path: importPath, name: name, alias: spec.Name.Name}, nil
}

// isStandard tells whether it is of the standard library, whose paths have no dot in their first element.
func (i imported) isStandard() bool {
	first, _, _ := strings.Cut(i.path, "/")
	return !strings.Contains(first, ".")
}

func (i imported) line() string {
	if i.alias == i.name && i.name == path.Base(i.path) {
		return fmt.Sprintf("\t%q", i.path)
	}
	return fmt.Sprintf("\t%s %q", i.alias, i.path)
}
