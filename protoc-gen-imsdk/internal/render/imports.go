package render

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
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
	var standard, others []string
	for _, spec := range parsed.Imports {
		line, isStandard := importLine(spec)
		if isStandard {
			standard = append(standard, line)
		} else {
			others = append(others, line)
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

// importLine is one line of the block. The paths of the standard library have no dot in their first element.
func importLine(spec *ast.ImportSpec) (line string, isStandard bool) {
	importPath, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		importPath = spec.Path.Value
	}
	first, _, _ := strings.Cut(importPath, "/")
	isStandard = !strings.Contains(first, ".")
	if spec.Name == nil || spec.Name.Name == path.Base(importPath) {
		return "\t" + spec.Path.Value, isStandard
	}
	return "\t" + spec.Name.Name + " " + spec.Path.Value, isStandard
}
