package tests_test

import (
	"fmt"
	"maps"
	"path"
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

// checkEither checks that the output for a request compiles, or that there are findings instead that all have a code. It
// tells which. The messages' packages are stubs, which takes a few milliseconds.
func checkEither(t *testing.T, request *pluginpb.CodeGeneratorRequest) (output bool) {
	t.Helper()
	request = proto.CloneOf(request)
	request.Parameter = proto.String(strings.ReplaceAll(request.GetParameter(), "paths=source_relative", "paths=import"))
	response := generate(t, request)
	if response.Error == nil {
		sources := generated(t, response)
		maps.Copy(sources, stubs(t, request))
		if err := checkTypes(sources); err != nil {
			t.Error(err)
		}
		return true
	}
	if len(response.GetFile()) > 0 {
		t.Errorf("%d files beside the findings\n%s", len(response.GetFile()), response.GetError())
	}
	for line := range strings.Lines(response.GetError()) {
		if !finding.MatchString(line) {
			t.Errorf("a finding without code: %s", line)
		}
	}
	return false
}

// stubs declares the messages and enums of a request's files, by import path: what generated code needs, and no field. Who
// has a name first keeps it.
func stubs(t *testing.T, request *pluginpb.CodeGeneratorRequest) map[string]string {
	t.Helper()
	request = proto.CloneOf(request)
	request.Parameter = nil
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		t.Fatal(err)
	}
	sources := make(map[string]*strings.Builder)
	declared := make(map[protogen.GoIdent]bool)
	declare := func(ident protogen.GoIdent, format string, args ...any) {
		if !declared[ident] {
			declared[ident] = true
			fmt.Fprintf(sources[string(ident.GoImportPath)], format+"\n", args...)
		}
	}
	for _, file := range plugin.Files {
		if sources[string(file.GoImportPath)] == nil {
			sources[string(file.GoImportPath)] = new(strings.Builder)
			fmt.Fprintf(sources[string(file.GoImportPath)],
				"package %s\n\nimport \"google.golang.org/protobuf/proto\"\n\nvar _ proto.Message\n", file.GoPackageName)
		}
		enums := file.Enums
		for messages := file.Messages; len(messages) > 0; messages = messages[1:] {
			message := messages[0]
			name := message.GoIdent.GoName
			declare(message.GoIdent, "type %s struct{ proto.Message }\nfunc (*%s) ValidateAll() error { return nil }", name, name)
			enums = append(enums, message.Enums...)
			messages = append(messages, message.Messages...)
		}
		for _, enum := range enums {
			declare(enum.GoIdent, "type %s int32", enum.GoIdent.GoName)
			for _, value := range enum.Values {
				declare(value.GoIdent, "const %s %s = %d", value.GoIdent.GoName, enum.GoIdent.GoName, value.Desc.Number())
			}
		}
	}
	written := make(map[string]string, len(sources))
	for importPath, source := range sources {
		written[path.Join(importPath, "stub.go")] = source.String()
	}
	return written
}
