package discovery

import "google.golang.org/grpc/resolver"

// Scheme resolves the targets of one URL scheme. The zero value is none.
type Scheme struct{ builder resolver.Builder }

// NewScheme makes a scheme of a gRPC resolver.
func NewScheme(builder resolver.Builder) Scheme { return Scheme{builder: builder} }

// Name is the scheme's name, "static" for static:///a:1. Empty for the zero value.
func (s Scheme) Name() string {
	if s.builder == nil {
		return ""
	}
	return s.builder.Scheme()
}

// Builder is the resolver for grpc.WithResolvers. Nil for the zero value.
func (s Scheme) Builder() resolver.Builder { return s.builder }

// Check says what is wrong with a target before anything is dialled. A builder that has a method
// Check(resolver.Target) error is asked; any other takes all targets.
func (s Scheme) Check(target resolver.Target) error {
	if checker, ok := s.builder.(interface {
		Check(target resolver.Target) error
	}); ok {
		return checker.Check(target)
	}
	return nil
}
