package balancer

import (
	"fmt"

	"google.golang.org/grpc/balancer"
	_ "google.golang.org/grpc/balancer/pickfirst"  // registers pick_first
	_ "google.golang.org/grpc/balancer/roundrobin" // registers round_robin
)

// Policy says to which of a target's servers a call goes. A stream is one call: the policy acts when it starts.
type Policy string

const (
	// RoundRobin takes the servers in turn, from a random one on. The default.
	RoundRobin Policy = "round_robin"
	// PickFirst sends everything to the first server that can be reached, in the target's order.
	PickFirst Policy = "pick_first"
)

// ServiceConfig gives the gRPC service config that chooses the policy, as JSON. It fails for a policy that is not
// linked into the program.
func (p Policy) ServiceConfig() (string, error) {
	if balancer.Get(string(p)) == nil {
		return "", fmt.Errorf("balancer policy %q is unknown: use balancer.RoundRobin or balancer.PickFirst", string(p))
	}
	return fmt.Sprintf(`{"loadBalancingConfig":[{%q:{}}]}`, string(p)), nil
}
