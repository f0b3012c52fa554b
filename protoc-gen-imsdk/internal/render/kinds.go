package render

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// kinds writes, for each kind, its description, the type of its messages and its check.
func kinds(f *file, pkg *model.Package) {
	f.header(pkg, pkg.Client.Name)
	if pkg.Validate {
		f.doc("If ValidateAll is missing below, protoc-gen-validate has not run: add it to buf.gen.yaml, or give" +
			" protoc-gen-imsdk the option validate=none.")
		f.P()
	}
	for _, kind := range pkg.Kinds {
		f.kindVar(pkg, kind)
		f.messageType(kind)
		f.validateFunc(kind)
	}
}

func (f *file) kindVar(pkg *model.Package, kind *model.Kind) {
	content := ident(kind.Content)
	f.kindDoc(kind, fmt.Sprintf("%s is how %s travels: as %s.",
		kind.Names.Var, withArticle(kind.Content.Name), kind.ValueName.Name()), false)
	f.P("var ", kind.Names.Var, " = ", runtimeNewKind, "(", runtimeKindSpec, "[*", content, "]{")
	f.P("Number: int32(", ident(kind.Value), "),")
	f.P("Name: \"", kind.Names.Kind, "\",")
	f.P("Direction: ", direction(kind), ",")
	f.P("Encoding: ", encoding(kind), ",")
	if kind.MaxBytes > 0 {
		f.P("MaxBytes: ", kind.MaxBytes, ",")
	}
	f.P("New: func() *", content, " { return new(", content, ") },")
	if pkg.Validate {
		f.P("Validate: (*", content, ").ValidateAll,")
	}
	if len(pkg.Fields) > 0 {
		f.P("Fields: fieldNames,")
	}
	f.P("})")
	f.P()
}

func (f *file) messageType(kind *model.Kind) {
	f.kindDoc(kind, fmt.Sprintf("%s is a message whose content is %s.",
		kind.Names.Message, withArticle(kind.Content.Name)), true)
	f.P("type ", kind.Names.Message, " = ", runtimeMessage, "[*", ident(kind.Content), "]")
	f.P()
}

func (f *file) validateFunc(kind *model.Kind) {
	f.kindDoc(kind, kind.Names.Validate+
		" says what is wrong with a content, as sending it would: a *runtime.Error with all violations, or nil.", false)
	f.P("func ", kind.Names.Validate, "(content *", ident(kind.Content), ") error {")
	f.P("return ", kind.Names.Var, ".Check(content)")
	f.P("}")
	f.P()
}

func direction(kind *model.Kind) protogen.GoIdent {
	switch kind.Direction {
	case imsdkv1.Direction_DIRECTION_CLIENT:
		return runtimeDirectionClient
	case imsdkv1.Direction_DIRECTION_SERVER:
		return runtimeDirectionServer
	default:
		return runtimeDirectionBoth
	}
}

func encoding(kind *model.Kind) protogen.GoIdent {
	switch kind.Encoding {
	case imsdkv1.Encoding_ENCODING_RAW:
		return runtimeEncodingRaw
	case imsdkv1.Encoding_ENCODING_JSON:
		return runtimeEncodingJSON
	default:
		return runtimeEncodingProto
	}
}
