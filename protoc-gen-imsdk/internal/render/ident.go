package render

import (
	"path"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// What generated code calls, and the module that has it.
const (
	runtimeModule = "github.com/game-im/im-grpc-sdk"
	runtimePath   = runtimeModule + "/runtime"
)

var (
	contextContext = ident(model.GoName{Package: model.GoPackage{Path: "context", Name: "context"}, Name: "Context"})

	runtimeEnforceVersion  = runtimeIdent("EnforceVersion")
	runtimeMinVersion      = runtimeIdent("MinVersion")
	runtimeMaxVersion      = runtimeIdent("MaxVersion")
	runtimeNewKind         = runtimeIdent("NewKind")
	runtimeKindSpec        = runtimeIdent("KindSpec")
	runtimeFieldNames      = runtimeIdent("FieldNames")
	runtimeMessage         = runtimeIdent("Message")
	runtimeIncoming        = runtimeIdent("Incoming")
	runtimeReceipt         = runtimeIdent("Receipt")
	runtimeSession         = runtimeIdent("Session")
	runtimeServer          = runtimeIdent("Server")
	runtimePending         = runtimeIdent("Pending")
	runtimeSend            = runtimeIdent("Send")
	runtimeSendAsync       = runtimeIdent("SendAsync")
	runtimePublish         = runtimeIdent("Publish")
	runtimeSendOption      = runtimeIdent("SendOption")
	runtimePublishOption   = runtimeIdent("PublishOption")
	runtimeRegisterOption  = runtimeIdent("RegisterOption")
	runtimeRegistration    = runtimeIdent("Registration")
	runtimeRoute           = runtimeIdent("Route")
	runtimeOn              = runtimeIdent("On")
	runtimeDirectionBoth   = runtimeIdent("DirectionBoth")
	runtimeDirectionClient = runtimeIdent("DirectionClient")
	runtimeDirectionServer = runtimeIdent("DirectionServer")
	runtimeEncodingProto   = runtimeIdent("EncodingProto")
	runtimeEncodingRaw     = runtimeIdent("EncodingRaw")
	runtimeEncodingJSON    = runtimeIdent("EncodingJSON")
)

func runtimeIdent(name string) protogen.GoIdent {
	return ident(model.GoName{Package: model.GoPackage{Path: runtimePath, Name: "runtime"}, Name: name})
}

// protogen calls an import after the last element of its path, which would be v1 for gen/im/v1. So protogen is given
// paths with one more element: the name that the package declares. tidyImports takes it off again. A name in lower case
// is none that a generated package declares itself.
const nameMark = "@"

// ident is a name for protogen to print, with its import.
func ident(name model.GoName) protogen.GoIdent { return importPath(name.Package).Ident(name.Name) }

func importPath(pkg model.GoPackage) protogen.GoImportPath {
	name := string(pkg.Name)
	return pkg.Path + protogen.GoImportPath(nameMark+name+"/"+strings.ToLower(name))
}

// cutName gives the path to import of one that importPath has made, and the name that the package declares.
func cutName(marked string) (importPath, name string) {
	importPath, name, _ = strings.Cut(marked, nameMark)
	return importPath, path.Dir(name)
}
