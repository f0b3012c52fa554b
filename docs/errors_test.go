package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// errorPage explains errors. It quotes their texts at the beginning of a line, bold and as code, with … for what differs.
const errorPage = "docs/troubleshooting.md"

var quotedError = regexp.MustCompile("(?m)^\\*\\*`([^`\n]+)`\\*\\*")

func TestEveryErrorThatThePageQuotesIsInTheSources(t *testing.T) {
	t.Parallel()
	texts := make(map[string]bool)
	for _, file := range sourceFiles(t, "runtime", "gen/im/v1", "protoc-gen-imsdk/internal/render") {
		ast.Inspect(file, func(node ast.Node) bool {
			if expression, ok := node.(ast.Expr); ok {
				texts[template(expression)] = true
			}
			return true
		})
	}
	quotes := quotedErrors(t)
	for _, quote := range quotes {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(texts)), func(text string) bool { return strings.Contains(text, quote) }) {
			t.Errorf("%s quotes an error that nothing says any more: %s", errorPage, quote)
		}
	}
	if len(quotes) < 50 {
		t.Errorf("only %d quotes were found: does the pattern still fit?", len(quotes))
	}
}

func TestThePageExplainsEveryErrorOfSessionAndServer(t *testing.T) {
	t.Parallel()
	quotes := quotedErrors(t)
	texts := errorTexts(sourceFiles(t, "runtime/session", "runtime/server", "runtime/discovery", "runtime/balancer"))
	if len(texts) < 50 {
		t.Errorf("only %d error texts were found: does the search still fit?", len(texts))
	}
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		if !slices.ContainsFunc(quotes, func(quote string) bool { return strings.Contains(text, quote) }) {
			t.Errorf("%s does not explain an error; add a line that begins with **`%s`**", errorPage, text)
		}
	}
}

func quotedErrors(t *testing.T) []string {
	t.Helper()
	var quotes []string
	for _, found := range quotedError.FindAllStringSubmatch(readFile(t, errorPage), -1) {
		quotes = append(quotes, found[1])
	}
	return quotes
}

// sourceFiles parses all Go files below folders but tests.
func sourceFiles(t *testing.T, folders ...string) []*ast.File {
	t.Helper()
	var files []*ast.File
	set := token.NewFileSet()
	for _, folder := range folders {
		err := fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, filepath.Join(root, path), nil, parser.SkipObjectResolution)
			files = append(files, file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// errorTexts are the texts of all errors that files make, as templates.
func errorTexts(files []*ast.File) map[string]bool {
	texts := make(map[string]bool)
	for _, file := range files {
		ast.Inspect(file, func(node ast.Node) bool {
			for _, expression := range errorExpressions(node) {
				if text := template(expression); len(strings.Fields(strings.ReplaceAll(text, "…", " "))) > 2 {
					texts[text] = true
				}
			}
			return true
		})
	}
	return texts
}

// textArgument tells which argument of a function is an error's text.
var textArgument = map[string]int{
	"errors.New": 0, "fmt.Errorf": 0, "status.Error": 1, "status.Errorf": 1, // everybody's
	"refuse": 1, "hide": 1, // the server's
	"invalid": 2, "wrong": 1, "add": 1, "joinText": 0, // the session's
}

// errorExpressions are the texts that a node gives to an error: as an argument, as its field Message, or, in functions
// that choose a text, as what they return.
func errorExpressions(node ast.Node) []ast.Expr {
	switch node := node.(type) {
	case *ast.CallExpr:
		name := calledName(node.Fun)
		if i, ok := textArgument[name]; ok && i < len(node.Args) {
			return []ast.Expr{node.Args[i]}
		}
	case *ast.KeyValueExpr:
		if key, ok := node.Key.(*ast.Ident); ok && key.Name == "Message" {
			return []ast.Expr{node.Value}
		}
	case *ast.AssignStmt:
		if target, ok := node.Lhs[0].(*ast.SelectorExpr); ok && target.Sel.Name == "Message" {
			return node.Rhs
		}
		if target, ok := node.Lhs[0].(*ast.Ident); ok && target.Name == "reason" {
			return node.Rhs
		}
	case *ast.ReturnStmt:
		return slices.DeleteFunc(slices.Clone(node.Results), func(result ast.Expr) bool {
			literal, isLiteral := result.(*ast.BasicLit)
			_, isSum := result.(*ast.BinaryExpr)
			return !isSum && (!isLiteral || literal.Kind != token.STRING)
		})
	}
	return nil
}

func calledName(function ast.Expr) string {
	switch function := function.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		pkg, ok := function.X.(*ast.Ident)
		name := function.Sel.Name
		if !ok || name == "hide" || name == "wrong" {
			return name
		}
		return pkg.Name + "." + name
	}
	return ""
}

var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// template is an expression's text, with … for what is not known before it runs.
func template(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(expression.Value); err == nil && expression.Kind == token.STRING {
			return verb.ReplaceAllString(text, "…")
		}
	case *ast.BinaryExpr:
		if expression.Op == token.ADD {
			return template(expression.X) + template(expression.Y)
		}
	case *ast.CallExpr:
		if name := calledName(expression.Fun); name == "fmt.Sprintf" || name == "fmt.Errorf" {
			return template(expression.Args[0])
		}
	}
	return "…"
}
