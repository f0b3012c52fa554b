package parse

import (
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// takenPackages reports packages to be written that are those of messages already.
func takenPackages(packages []*model.Package, files []*protogen.File, findings *diag.List) {
	for _, pkg := range packages {
		for _, file := range files {
			if file.GoImportPath == pkg.Client.Path || file.GoImportPath == pkg.Server.Path {
				findings.Add(goPackagePosition(file), diag.SplitPackage,
					"go_package is %s, which is what is generated for the kinds of proto package %s (%s); write another one",
					file.GoImportPath, pkg.Proto, pkg.Sources[0])
			}
		}
	}
}
