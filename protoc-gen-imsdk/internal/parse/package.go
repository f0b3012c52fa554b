package parse

import (
	"path"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// groupKey tells which kinds share their output.
type groupKey struct {
	proto protoreflect.FullName
	path  protogen.GoImportPath
}

// group is the kinds of one output, by number. It has at least one.
type group struct {
	groupKey
	kinds []*kind
}

// dir is the directory of a file's output, relative to the output's root.
func dir(file *protogen.File) string { return path.Dir(file.GeneratedFilenamePrefix) }

// pkg makes the model of one group.
func (p *parser) pkg(group *group) *model.Package {
	p.nameClashes(group)
	file := group.kinds[0].file
	pkg := &model.Package{
		Proto:    group.proto,
		Messages: goPackage(file),
		Client:   beside(file, "sdk"),
		Server:   beside(file, "server"),
		Dir:      dir(file),
		Validate: p.config.Validate,
	}
	for _, each := range group.kinds {
		if p.config.Document {
			document(each)
		}
		pkg.Kinds = append(pkg.Kinds, each.Kind)
		if source := each.file.Desc.Path(); !slices.Contains(pkg.Sources, source) {
			pkg.Sources = append(pkg.Sources, source)
		}
	}
	slices.Sort(pkg.Sources)
	if p.config.Validate {
		pkg.Fields = p.fields(group)
	}
	return pkg
}

func goPackage(file *protogen.File) model.GoPackage {
	return model.GoPackage{Path: file.GoImportPath, Name: file.GoPackageName}
}

// beside is the package in a directory of its own below that of the messages.
func beside(file *protogen.File, suffix string) model.GoPackage {
	name := file.GoPackageName + protogen.GoPackageName(suffix)
	return model.GoPackage{Path: file.GoImportPath + "/" + protogen.GoImportPath(name), Name: name}
}

// splitPackages reports Go packages that two groups, or two directories, would write to.
func (p *parser) splitPackages(groups []*group) {
	first := make(map[protogen.GoImportPath]*kind)
	for _, group := range groups {
		for _, each := range group.kinds {
			other, ok := first[group.path]
			switch {
			case !ok:
				first[group.path] = each
			case other.file.Desc.Package() != group.proto:
				p.findings.Add(each.pos, diag.SplitPackage,
					"Go package %s has kinds of proto package %s (%s) and of %s; give each proto package a go_package of its own",
					group.path, other.file.Desc.Package(), other.file.Desc.Path(), group.proto)
			case dir(other.file) != dir(each.file):
				p.findings.Add(each.pos, diag.SplitPackage,
					"kinds of Go package %s lie in the directories %s (%s) and %s; move the files together",
					group.path, dir(other.file), other.file.Desc.Path(), dir(each.file))
			}
		}
	}
}

// nameClashes reports names that two kinds of a group would share, or that the generated packages have already.
func (p *parser) nameClashes(group *group) {
	taken := map[string]string{
		"Handlers":  "the type of a client's handlers",
		"Client":    "the client's type",
		"NewClient": "the client's constructor",
		"OnInvalid": "the handler of invalid contents",
	}
	owners := make(map[string]*kind)
	for _, each := range group.kinds {
		names := each.Names
		for _, name := range []string{
			names.Var, names.Message, names.Validate, names.Handler, names.Send, names.SendAsync, names.Publish,
		} {
			if what, ok := taken[name]; ok {
				p.findings.Add(each.pos, diag.NameClash,
					"message %s: its kind is %s in Go, and %s is %s; rename the message", each.Message, names.Kind, name, what)
				break
			}
			if owner, ok := owners[name]; ok {
				p.findings.Add(each.pos, diag.NameClash,
					"messages %s (%s) and %s would both have the name %s in Go; rename one of them (%q at the end of a message's name is left out)",
					owner.Message, owner.pos, each.Message, name, "Content")
				break
			}
			owners[name] = each
		}
	}
}
