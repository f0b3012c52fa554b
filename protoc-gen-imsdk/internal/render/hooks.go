package render

import (
	"fmt"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// hooks writes the struct that a server is given.
func hooks(f *file, pkg *model.Package) {
	f.header(pkg, pkg.Server.Name, fmt.Sprintf(
		"Package %s is the server's side of proto package %s: [Register] with [Hooks], and the [Publisher] that it gives.",
		pkg.Server.Name, protoName(pkg)))
	f.handshake()
	f.doc(
		fmt.Sprintf("Hooks decide on the messages of package %s that clients send, before anybody else sees them."+
			" A nil one admits everything.", protoName(pkg)),
		"A hook admits a message by returning nil; it may change m.Content and m.Metadata before. It refuses the message"+
			" with an error, whose gRPC code (status.Error, *runtime.Error) and text the sender sees.",
		"The server calls hooks of several users at once.",
	)
	f.P("type Hooks struct {")
	for _, kind := range pkg.Kinds {
		if kind.FromClient() {
			f.kindDoc(kind, hookDoc(kind), true)
			f.P(kind.Names.Handler, " func(ctx ", contextContext, ", m *", clientIdent(pkg, kind.Names.Message), ") error")
			f.P()
		}
	}
	f.P("}")
}

func hookDoc(kind *model.Kind) string {
	if !kind.FromServer() {
		return fmt.Sprintf("%s handles %s. Nobody else gets it.", kind.Names.Handler, withArticle(kind.Names.Message))
	}
	return fmt.Sprintf("%s decides on %s.", kind.Names.Handler, withArticle(kind.Names.Message))
}
