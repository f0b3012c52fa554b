package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
)

// ErrKindClaimed is what Register says when a kind's number is taken already.
var ErrKindClaimed = errors.New("kind is claimed twice")

// Registration is what one generated package tells a session or a server.
type Registration struct {
	// Package is the proto package, "im.v1".
	Package string
	// Routes has one entry for each kind of the package, handled or not.
	Routes []Route
	// OnInvalid is called for a message of this package whose content did not parse or validate: Err says why, Raw has
	// the bytes. Nil: the session reports the error and drops nothing else.
	OnInvalid func(ctx context.Context, in *Incoming) error
	// SkipValidation switches off the rules on what is received. What does not parse is invalid all the same.
	SkipValidation bool
}

// Route leads one kind to its handler.
type Route struct {
	kind   *Kind
	handle func(ctx context.Context, in *Incoming) error
}

// Handled tells whether the route has a handler.
func (r Route) Handled() bool { return r.handle != nil }

// Kind is the route's kind.
func (r Route) Kind() *Kind { return r.kind }

// On leads a kind to a handler; nil: the kind is known and not handled.
func On[T proto.Message](kind *TypedKind[T], handler func(ctx context.Context, m *Message[T]) error) Route {
	if handler == nil {
		return Route{kind: &kind.Kind}
	}
	return Route{kind: &kind.Kind, handle: func(ctx context.Context, in *Incoming) error {
		content, ok := in.Content.(T)
		if !ok { // an interceptor has put something else there
			return fmt.Errorf("%s: the content is a %T", kind.Name, in.Content)
		}
		m := &Message[T]{Envelope: in.Envelope, Content: content}
		err := handler(ctx, m)
		in.Envelope, in.Content = m.Envelope, m.Content // a server's hook may have changed them
		return err
	}}
}

// Router knows all kinds of a session or server. The zero value knows none. Add must not run beside anything else;
// the rest is safe for concurrent use.
type Router struct {
	entries map[int32]*entry
}

type entry struct {
	Route
	pkg            string
	onInvalid      func(ctx context.Context, in *Incoming) error
	skipValidation bool
}

// Add takes a package's kinds, all or none. It fails with [ErrKindClaimed] when a number is taken, by another package
// or within this one.
func (r *Router) Add(registration Registration) error {
	entries := make(map[int32]*entry, len(r.entries)+len(registration.Routes))
	maps.Copy(entries, r.entries)
	for _, route := range registration.Routes {
		if route.kind == nil {
			return fmt.Errorf("a route of %s has no kind: make it with On", registration.Package)
		}
		if taken, ok := entries[route.kind.Number]; ok {
			return claimedTwice(taken, route.kind, registration.Package)
		}
		entries[route.kind.Number] = &entry{
			Route:          route,
			pkg:            registration.Package,
			onInvalid:      registration.OnInvalid,
			skipValidation: registration.SkipValidation,
		}
	}
	r.entries = entries
	return nil
}

// claimedTwice tells a package that was registered again from two packages with one number.
func claimedTwice(taken *entry, kind *Kind, pkg string) error {
	if taken.kind == kind {
		return fmt.Errorf("%w: %s of %s is registered already: register a package once, with all its handlers",
			ErrKindClaimed, kind, pkg)
	}
	return fmt.Errorf("%w: %d is %s of %s and %s of %s",
		ErrKindClaimed, kind.Number, taken.kind.Name, taken.pkg, kind.Name, pkg)
}

// Kind is the kind with that number, or nil.
func (r *Router) Kind(number int32) *Kind {
	if found, ok := r.entries[number]; ok {
		return found.kind
	}
	return nil
}

// Kinds are all kinds, by number.
func (r *Router) Kinds() []*Kind {
	kinds := make([]*Kind, 0, len(r.entries))
	for _, number := range slices.Sorted(maps.Keys(r.entries)) {
		kinds = append(kinds, r.entries[number].kind)
	}
	return kinds
}

// Handled tells whether the kind with that number has a handler.
func (r *Router) Handled(number int32) bool {
	found, ok := r.entries[number]
	return ok && found.handle != nil
}

// Decode sets Kind, Content and Err of a message from its Type and Raw.
func (r *Router) Decode(in *Incoming) {
	found, ok := r.entries[in.Type]
	if !ok {
		return
	}
	in.Kind = found.kind
	in.Content, in.Err = found.kind.Decode(in.Raw)
	if in.Err != nil || found.skipValidation {
		return
	}
	if err := found.kind.Check(in.Content); err != nil {
		in.Content, in.Err = nil, err
	}
}

// Outcome says where Handle led a message.
type Outcome uint8

const (
	// Handled means that the kind's handler ran.
	Handled Outcome = iota
	// Invalid means that the content did not parse or validate. OnInvalid ran if the package has one.
	Invalid
	// Unhandled means that the kind is known and has no handler.
	Unhandled
	// Unknown means that no package has the kind.
	Unknown
)

// Handle leads a decoded message to its handler. The error is the handler's; for an invalid message without OnInvalid
// it is in.Err.
func (r *Router) Handle(ctx context.Context, in *Incoming) (Outcome, error) {
	found, ok := r.entries[in.Type]
	switch {
	case !ok:
		return Unknown, nil
	case in.Err != nil && found.onInvalid != nil:
		return Invalid, found.onInvalid(ctx, in)
	case in.Err != nil:
		return Invalid, in.Err
	case found.handle == nil:
		return Unhandled, nil
	default:
		return Handled, found.handle(ctx, in)
	}
}
