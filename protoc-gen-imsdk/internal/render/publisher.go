package render

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// publisher writes the registration of the hooks and a method for each kind that the server publishes.
func publisher(f *file, pkg *model.Package) {
	f.header(pkg, pkg.Server.Name)
	f.doc(fmt.Sprintf("Publisher publishes the messages of package %s. It is safe for concurrent use.", protoName(pkg)))
	f.P("type Publisher struct {")
	f.P("server ", runtimeServer)
	f.P("}")
	f.P()
	f.register(pkg)
	for _, kind := range pkg.Kinds {
		if kind.FromServer() {
			f.publishMethod(pkg, kind)
		}
	}
}

func (f *file) register(pkg *model.Package) {
	f.doc(fmt.Sprintf("Register tells a server the kinds of package %s and their hooks. It is called before the server"+
		" serves, once for a server: it fails after that, and with runtime.ErrKindClaimed"+
		" when another package has one of the kinds' numbers.", protoName(pkg)))
	f.P("func Register(server ", runtimeServer, ", hooks Hooks, opts ...", runtimeRegisterOption, ") (*Publisher, error) {")
	f.P("registration := ", runtimeRegistration, "{")
	f.P("Package: \"", pkg.Proto, "\",")
	f.P("Routes: []", runtimeRoute, "{")
	for _, kind := range pkg.Kinds {
		if kind.FromClient() {
			f.P(runtimeOn, "(", clientIdent(pkg, kind.Names.Var), ", hooks.", kind.Names.Handler, "),")
		} else {
			f.P(runtimeOn, "(", clientIdent(pkg, kind.Names.Var), ", nil),")
		}
	}
	f.P("},")
	f.P("}")
	f.P("if err := server.Register(registration.With(opts)); err != nil {")
	f.P("return nil, err")
	f.P("}")
	f.P("return &Publisher{server: server}, nil")
	f.P("}")
	f.P()
}

func (f *file) publishMethod(pkg *model.Package, kind *model.Kind) {
	f.kindDoc(kind, fmt.Sprintf(
		"%s appends %s to a room and hands it to everybody in it. A content that breaks its rules is not published.",
		kind.Names.Publish, withArticle(kind.Content.Name)), true)
	f.P("func (p *Publisher) ", kind.Names.Publish, "(")
	f.P("ctx ", contextContext, ", roomID string, content *", ident(kind.Content), ", opts ...", runtimePublishOption, ",")
	f.P(") (*", runtimeReceipt, ", error) {")
	f.P("return ", runtimePublish, "(ctx, p.server, ", clientIdent(pkg, kind.Names.Var), ", roomID, content, opts)")
	f.P("}")
	f.P()
}

// clientIdent is a name of the client's package.
func clientIdent(pkg *model.Package, name string) protogen.GoIdent {
	return ident(model.GoName{Package: pkg.Client, Name: name})
}
