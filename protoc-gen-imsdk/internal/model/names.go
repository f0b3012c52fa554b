package model

import "strings"

// Names are the names that a kind has in the generated packages. Nothing else makes such a name.
type Names struct {
	// Kind is the kind's own name, "Text".
	Kind string
	// Var is the kind's variable in the client's package, "KindText".
	Var string
	// Message is the type that handlers are given, "TextMessage".
	Message string
	// Validate is the function, "ValidateText".
	Validate string
	// Handler is the field of Handlers and of Hooks, "OnText".
	Handler string
	// Send is the client's method, "SendText".
	Send string
	// SendAsync is the client's method that does not wait, "SendTextAsync".
	SendAsync string
	// Publish is the publisher's method, "PublishText".
	Publish string
}

// NamesOf derives the names from that of the content's Go type. TextContent gives Text; Content stays as it is.
func NamesOf(content string) Names {
	kind := content
	if rest := strings.TrimSuffix(content, "Content"); rest != "" {
		kind = rest
	}
	return Names{
		Kind:      kind,
		Var:       "Kind" + kind,
		Message:   kind + "Message",
		Validate:  "Validate" + kind,
		Handler:   "On" + kind,
		Send:      "Send" + kind,
		SendAsync: "Send" + kind + "Async",
		Publish:   "Publish" + kind,
	}
}
