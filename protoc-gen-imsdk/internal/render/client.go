package render

import (
	"fmt"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// client writes the client: its constructor and two methods for each kind that it sends.
func client(f *file, pkg *model.Package) {
	f.header(pkg, pkg.Client.Name, fmt.Sprintf(
		"Package %s sends and receives the messages of proto package %s over a session: [NewClient] with [Handlers].",
		pkg.Client.Name, protoName(pkg)))
	f.handshake()
	f.clientType(pkg)
	f.newClient(pkg)
	for _, kind := range pkg.Kinds {
		if kind.FromClient() {
			f.sendMethod(kind)
			f.sendAsyncMethod(kind)
		}
	}
}

func (f *file) clientType(pkg *model.Package) {
	f.doc(fmt.Sprintf("Client sends the messages of package %s over a session. It is safe for concurrent use.", protoName(pkg)))
	f.P("type Client struct {")
	f.P("session ", runtimeSession)
	f.P("}")
	f.P()
}

func (f *file) newClient(pkg *model.Package) {
	f.doc(fmt.Sprintf("NewClient tells a session the kinds of package %s and their handlers. It is called before the"+
		" session connects, once for a session: it fails after that, and with runtime.ErrKindClaimed when"+
		" another package has one of the kinds' numbers.",
		protoName(pkg)))
	f.P("func NewClient(session ", runtimeSession, ", handlers Handlers, opts ...", runtimeRegisterOption, ") (*Client, error) {")
	f.P("registration := ", runtimeRegistration, "{")
	f.P("Package: \"", pkg.Proto, "\",")
	f.P("Routes: []", runtimeRoute, "{")
	for _, kind := range pkg.Kinds {
		if kind.FromServer() {
			f.P(runtimeOn, "(", kind.Names.Var, ", handlers.", kind.Names.Handler, "),")
		} else {
			f.P(runtimeOn, "(", kind.Names.Var, ", nil),")
		}
	}
	f.P("},")
	f.P("OnInvalid: handlers.OnInvalid,")
	f.P("}")
	f.P("if err := session.Register(registration.With(opts)); err != nil {")
	f.P("return nil, err")
	f.P("}")
	f.P("return &Client{session: session}, nil")
	f.P("}")
	f.P()
}

func (f *file) sendMethod(kind *model.Kind) {
	to := "to a room"
	if !kind.FromServer() {
		to = "to the server, in the name of a room,"
	}
	f.kindDoc(kind, fmt.Sprintf("%s sends %s %s and waits for the receipt. A content that breaks its rules is not sent.",
		kind.Names.Send, withArticle(kind.Content.Name), to), true)
	f.P("func (c *Client) ", kind.Names.Send, "(")
	f.P("ctx ", contextContext, ", roomID string, content *", ident(kind.Content), ", opts ...", runtimeSendOption, ",")
	f.P(") (*", runtimeReceipt, ", error) {")
	f.P("return ", runtimeSend, "(ctx, c.session, ", kind.Names.Var, ", roomID, content, opts)")
	f.P("}")
	f.P()
}

func (f *file) sendAsyncMethod(kind *model.Kind) {
	f.doc(fmt.Sprintf("%s is %s without the wait: it returns once the message has its place behind those sent before it,"+
		" and what it returns keeps the result. ctx bounds the send, not only the call: do not cancel it before the"+
		" result is there.",
		kind.Names.SendAsync, kind.Names.Send))
	f.P("func (c *Client) ", kind.Names.SendAsync, "(")
	f.P("ctx ", contextContext, ", roomID string, content *", ident(kind.Content), ", opts ...", runtimeSendOption, ",")
	f.P(") *", runtimePending, " {")
	f.P("return ", runtimeSendAsync, "(ctx, c.session, ", kind.Names.Var, ", roomID, content, opts)")
	f.P("}")
	f.P()
}
