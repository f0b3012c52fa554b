package render

import (
	"path"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// output is one file of a generated package.
type output struct {
	pkg   model.GoPackage
	name  string
	write func(f *file, pkg *model.Package)
}

// outputs are the files that come from a package.
func outputs(pkg *model.Package) []output {
	files := []output{
		{pkg.Client, "client.imsdk.go", client},
		{pkg.Client, "handlers.imsdk.go", handlers},
		{pkg.Client, "kinds.imsdk.go", kinds},
		{pkg.Server, "hooks.imsdk.go", hooks},
		{pkg.Server, "publisher.imsdk.go", publisher},
	}
	if len(pkg.Fields) > 0 {
		files = append(files, output{pkg.Client, "fields.imsdk.go", fields})
	}
	return files
}

// Package adds the files of a package to the plugin's output.
func Package(plugin *protogen.Plugin, pkg *model.Package) error {
	for _, each := range outputs(pkg) {
		name := path.Join(pkg.Dir, string(each.pkg.Name), each.name)
		draft := &file{GeneratedFile: plugin.NewGeneratedFile(name, importPath(each.pkg))}
		draft.Skip()
		each.write(draft, pkg)
		content, err := draft.Content()
		if err != nil {
			return err
		}
		content, err = tidyImports(content)
		if err != nil {
			return err
		}
		if _, err := plugin.NewGeneratedFile(name, importPath(each.pkg)).Write(content); err != nil {
			return err
		}
	}
	return nil
}

// Catalogue adds a catalogue of a package's kinds to the plugin's output.
func Catalogue(plugin *protogen.Plugin, pkg *model.Package) {
	name := path.Join(pkg.Dir, catalogueName)
	catalogue(&file{GeneratedFile: plugin.NewGeneratedFile(name, importPath(pkg.Messages))}, pkg)
}
