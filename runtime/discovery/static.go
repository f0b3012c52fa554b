package discovery

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/experimental/balancer/weight"
	"google.golang.org/grpc/resolver"
)

// StaticName is the scheme's name.
const StaticName = "static"

// maxWeight bounds the weight of one instance.
const maxWeight = 1_000_000

// Instance is one server of a static target.
type Instance struct {
	// Addr is host:port.
	Addr string
	// Host is the host alone; TLS verifies the server's certificate against it.
	Host string
	// Weight is how much more than others it is to get, 1 to 1,000,000. 1 if the target does not say. Kept as
	// gRPC's endpoint weight, for balancer policies that know weights.
	Weight uint32
}

// Static is the scheme for targets that list their servers: static:///a:1;weight=3,b:2. A session always knows it.
func Static() Scheme { return NewScheme(staticBuilder{}) }

// ParseStatic reads the list of a static target, what follows static:///: host:port, each with ;weight=N or without,
// separated by commas. Its errors say which entry is wrong and how to write it.
func ParseStatic(list string) ([]Instance, error) {
	if strings.TrimSpace(list) == "" {
		return nil, errors.New("the list of servers is empty: write static:///host:port or static:///a:1;weight=3,b:2")
	}
	entries := strings.Split(list, ",")
	instances := make([]Instance, 0, len(entries))
	seen := make(map[string]bool, len(entries))
	for i, entry := range entries {
		instance, err := parseInstance(strings.TrimSpace(entry))
		if err != nil {
			return nil, fmt.Errorf("server %d of %d, %q: %w", i+1, len(entries), entry, err)
		}
		if seen[instance.Addr] {
			return nil, fmt.Errorf("server %d of %d, %q: it is there twice: give it a weight instead",
				i+1, len(entries), entry)
		}
		seen[instance.Addr] = true
		instances = append(instances, instance)
	}
	return instances, nil
}

func parseInstance(entry string) (Instance, error) {
	addr, parameters, more := strings.Cut(entry, ";")
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return Instance{}, errors.New("write host:port, such as 10.0.0.1:8083 or [::1]:8083")
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return Instance{}, fmt.Errorf("the port is %q: write a number from 1 to 65535", port)
	}
	instance := Instance{Addr: addr, Host: host, Weight: 1}
	for more {
		var parameter string
		parameter, parameters, more = strings.Cut(parameters, ";")
		if err := instance.set(parameter); err != nil {
			return Instance{}, err
		}
	}
	return instance, nil
}

func (i *Instance) set(parameter string) error {
	name, value, _ := strings.Cut(parameter, "=")
	if name != "weight" {
		return fmt.Errorf("it has the parameter %q: only weight is known, as in ;weight=3", name)
	}
	number, err := strconv.ParseUint(value, 10, 32)
	if err != nil || number == 0 || number > maxWeight {
		return fmt.Errorf("its weight is %q: write a number from 1 to %d", value, maxWeight)
	}
	i.Weight = uint32(number)
	return nil
}

// staticBuilder is a [resolver.Builder].
type staticBuilder struct{}

func (staticBuilder) Scheme() string { return StaticName }

// Check is what [Scheme.Check] asks.
func (staticBuilder) Check(target resolver.Target) error {
	_, err := parseTarget(target)
	return err
}

// OverrideAuthority is what calls carry as their authority: a list of servers is none. The first server's address
// stands for all; each connection is verified against its own server's host.
func (staticBuilder) OverrideAuthority(target resolver.Target) string {
	instances, err := parseTarget(target)
	if err != nil {
		return StaticName
	}
	return instances[0].Addr
}

func (staticBuilder) Build(
	target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions,
) (resolver.Resolver, error) {
	instances, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	endpoints := make([]resolver.Endpoint, len(instances))
	for i, instance := range instances {
		address := resolver.Address{Addr: instance.Addr, ServerName: instance.Host}
		endpoint := resolver.Endpoint{Addresses: []resolver.Address{address}}
		endpoints[i] = weight.Set(endpoint, weight.EndpointInfo{Weight: instance.Weight})
	}
	if err := cc.UpdateState(resolver.State{Endpoints: endpoints}); err != nil {
		cc.ReportError(err)
	}
	return staticResolver{}, nil
}

// parseTarget reads a static target, whose list stands where a URL has its path.
func parseTarget(target resolver.Target) ([]Instance, error) {
	if target.URL.Host != "" {
		return nil, errors.New("there are three slashes in static:///host:port, not two")
	}
	list, err := url.PathUnescape(strings.TrimPrefix(target.URL.EscapedPath(), "/"))
	if err != nil {
		return nil, err
	}
	return ParseStatic(list)
}

// staticResolver never resolves again: the list does not change.
type staticResolver struct{}

func (staticResolver) ResolveNow(resolver.ResolveNowOptions) {}

func (staticResolver) Close() {}
