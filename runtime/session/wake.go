package session

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/resolver"
)

// waking stands between a resolver and gRPC, and wakes a session that waits to reconnect when the servers' addresses have
// changed. The same addresses again wake nobody: gRPC resolves after each failure, and a server that is down would be hammered.
type waking struct {
	resolver.Builder

	wake func()
}

// wakingFor wraps a builder. One that names an authority of its own (unix does) still does.
func wakingFor(builder resolver.Builder, wake func()) resolver.Builder {
	w := waking{builder, wake}
	if overrider, ok := builder.(resolver.AuthorityOverrider); ok {
		return struct {
			waking
			resolver.AuthorityOverrider
		}{w, overrider}
	}
	return w
}

// Build builds the resolver, on a connection that looks at what it says.
func (w waking) Build(
	target resolver.Target, conn resolver.ClientConn, opts resolver.BuildOptions,
) (resolver.Resolver, error) {
	return w.Builder.Build(target, &wakingConn{ClientConn: conn, wake: w.wake}, opts)
}

type wakingConn struct {
	resolver.ClientConn

	wake func()

	mu   sync.Mutex
	last []string
}

// UpdateState passes a state on.
func (c *wakingConn) UpdateState(state resolver.State) error {
	err := c.ClientConn.UpdateState(state)
	if c.changed(addresses(state)) {
		c.wake()
	}
	return err
}

// changed tells whether these are other addresses than the last ones; the first ones are no change.
func (c *wakingConn) changed(now []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.last
	c.last = now
	return before != nil && len(now) > 0 && !slices.Equal(before, now)
}

func addresses(state resolver.State) []string {
	found := []string{}
	for _, endpoint := range state.Endpoints {
		for _, address := range endpoint.Addresses {
			found = append(found, address.Addr)
		}
	}
	for _, address := range state.Addresses {
		found = append(found, address.Addr)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// registered gives gRPC's own builder for a target: that of its scheme, or dns as grpc.NewClient has it.
func registered(target string) resolver.Builder {
	if name, _, found := strings.Cut(target, ":"); found {
		if builder := resolver.Get(strings.ToLower(name)); builder != nil {
			return builder
		}
	}
	return resolver.Get("dns")
}
