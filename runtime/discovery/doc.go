// Package discovery turns a target into servers. A [Scheme] is a gRPC resolver for targets such as static:///… or
// consul://…; session.WithDiscovery takes schemes, and none is ever registered globally. Backends that need a client
// library are modules of their own beside this package; [Static], a list that is written into the target, is here.
package discovery
