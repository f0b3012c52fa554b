package session

import (
	"net/url"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/resolver"
)

// wakers are the resolvers that a target of gRPC's own schemes may lead to, each waking the session. gRPC takes a
// target whose scheme it does not know for a name of its default scheme.
func wakers(target string, wake func()) []resolver.Builder {
	names := []string{resolver.GetDefaultScheme(), "dns"}
	if parsed, err := url.Parse(target); err == nil && parsed.Scheme != "" {
		names = append(names, parsed.Scheme)
	}
	slices.Sort(names)
	var builders []resolver.Builder
	for _, name := range slices.Compact(names) {
		if builder := resolver.Get(name); builder != nil {
			builders = append(builders, waking(builder, wake))
		}
	}
	return builders
}

// waking makes a resolver wake the session when it names other addresses than before.
func waking(builder resolver.Builder, wake func()) resolver.Builder {
	w := &wakingBuilder{Builder: builder, wake: wake}
	if overrider, ok := builder.(resolver.AuthorityOverrider); ok {
		return struct {
			*wakingBuilder
			resolver.AuthorityOverrider
		}{w, overrider}
	}
	return w
}

// wakingBuilder keeps the addresses over its resolvers: gRPC makes a new one after a connection was idle.
type wakingBuilder struct {
	resolver.Builder

	wake func()

	mu   sync.Mutex // held for assignments only
	last string
}

// Build is of [resolver.Builder].
func (w *wakingBuilder) Build(
	target resolver.Target, cc resolver.ClientConn, opts resolver.BuildOptions,
) (resolver.Resolver, error) {
	return w.Builder.Build(target, &wakingConn{ClientConn: cc, builder: w}, opts)
}

// changed tells whether there are addresses to try that are not the last ones.
func (w *wakingBuilder) changed(state resolver.State) bool {
	now := addresses(state)
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := now != w.last
	w.last = now
	return changed && now != ""
}

// addresses are all that a state has, whatever their order.
func addresses(state resolver.State) string {
	var all []string
	for _, address := range state.Addresses {
		all = append(all, address.Addr)
	}
	for _, endpoint := range state.Endpoints {
		for _, address := range endpoint.Addresses {
			all = append(all, address.Addr)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "\n")
}

// wakingConn sees what a resolver says, and hands it on as it is.
type wakingConn struct {
	resolver.ClientConn

	builder *wakingBuilder
}

// UpdateState is of [resolver.ClientConn].
func (c *wakingConn) UpdateState(state resolver.State) error {
	changed := c.builder.changed(state)
	err := c.ClientConn.UpdateState(state)
	if changed && err == nil {
		c.builder.wake()
	}
	return err
}

// NewAddress is the old form of it.
func (c *wakingConn) NewAddress(addresses []resolver.Address) {
	changed := c.builder.changed(resolver.State{Addresses: addresses})
	c.ClientConn.NewAddress(addresses) //nolint:staticcheck // a resolver of today may still call it
	if changed {
		c.builder.wake()
	}
}
