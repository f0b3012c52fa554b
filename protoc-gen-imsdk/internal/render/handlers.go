package render

import (
	"fmt"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// handlers writes the struct that a client is given.
func handlers(f *file, pkg *model.Package) {
	f.header(pkg, pkg.Client.Name)
	f.doc(
		fmt.Sprintf("Handlers are called for the messages of package %s that a session receives. A nil one is none.", protoName(pkg)),
		"The session calls them one after another for a room, and for several rooms at once. A handler may call anything"+
			" on the session. If it returns nil, a message that asks for it is acknowledged; if not, the session reports the error.",
	)
	f.P("type Handlers struct {")
	for _, kind := range pkg.Kinds {
		if kind.FromServer() {
			f.kindDoc(kind, fmt.Sprintf("%s handles %s.", kind.Names.Handler, withArticle(kind.Names.Message)), true)
			f.P(kind.Names.Handler, " func(ctx ", contextContext, ", m *", kind.Names.Message, ") error")
			f.P()
		}
	}
	f.doc("OnInvalid handles a message of this package whose content did not parse or validate: in.Err says why, in.Raw" +
		" has the bytes. Without it the session reports the error.")
	f.P("OnInvalid func(ctx ", contextContext, ", in *", runtimeIncoming, ") error")
	f.P("}")
}
