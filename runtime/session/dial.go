package session

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/discovery"
)

// Dial makes a session with a connection of its own, which Close closes. Nothing is dialled before Connect, or the
// first call that works without it.
//
// A target is host:port; static:///a:1;weight=3,b:2; dns:///host:port; passthrough:///…, unix:///path, or any other
// that gRPC knows; or one of a scheme that WithDiscovery gives.
func Dial(target string, opts ...Option) (*Session, error) {
	c, err := newConfig(opts)
	if err == nil && c.conn != nil {
		err = errors.New("WithConn: for New only; Dial makes a connection of its own")
	}
	if err != nil {
		return nil, fmt.Errorf("session.Dial: %w", err)
	}
	schemes := append([]discovery.Scheme{discovery.Static()}, c.dialing.schemes...)
	if err := checkTarget(target, schemes); err != nil {
		return nil, fmt.Errorf("session.Dial: target %q: %w", target, err)
	}
	dialOptions, err := c.dialOptions(target, schemes)
	if err != nil {
		return nil, fmt.Errorf("session.Dial: %w", err)
	}
	conn, err := grpc.NewClient(target, dialOptions...)
	if err != nil {
		return nil, fmt.Errorf("session.Dial: target %q: %w", target, err)
	}
	return newSession(c, strconv.Quote(target), imv1.NewIMServiceClient(conn), conn, true), nil
}

// dialOptions are the session's own, then the application's, which win, then what gRPC would take without them.
func (c *config) dialOptions(target string, schemes []discovery.Scheme) ([]grpc.DialOption, error) {
	serviceConfig, err := c.dialing.policy.ServiceConfig()
	if err != nil {
		return nil, err
	}
	creds := c.dialing.credentials
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	builders := make([]resolver.Builder, len(schemes))
	for i, scheme := range schemes {
		builders[i] = waking(scheme.Builder(), c.waker.wake)
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(trackedCredentials{TransportCredentials: creds, all: &c.transports}),
		grpc.WithResolvers(builders...),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithConnectParams(c.connectParams()),
	}
	for _, perRPC := range c.dialing.perRPC {
		opts = append(opts, grpc.WithPerRPCCredentials(perRPC))
	}
	opts = append(opts, c.dialing.options...)
	// Of two resolvers of a scheme gRPC takes the first: the application's own stay before gRPC's.
	return append(opts, grpc.WithResolvers(wakers(target, c.waker.wake)...)), nil
}

// connectParams leave the waits between tries to the session: each of its tries resets the connection's own backoff,
// which only has to be longer than any of its waits.
func (c *config) connectParams() grpc.ConnectParams {
	longest := 2 * c.timing.reconnect.Max
	return grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: longest, Multiplier: 1, Jitter: 0.2, MaxDelay: longest},
		MinConnectTimeout: c.timing.connect,
	}
}

// checkTarget finds what is wrong with a target before anything is dialled. gRPC would try an unknown scheme as a DNS
// name.
func checkTarget(target string, schemes []discovery.Scheme) error {
	if strings.TrimSpace(target) == "" {
		return errors.New("it is empty: write host:port, or a target such as static:///a:1,b:2 or dns:///host:port")
	}
	name, rest, found := strings.Cut(target, "://")
	if !found {
		return checkHostPort(target)
	}
	name = strings.ToLower(name)
	if strings.HasPrefix(name, discovery.StaticName) && !strings.HasPrefix(rest, "/") {
		return fmt.Errorf("write three slashes: %s:///%s", name, rest)
	}
	parsed, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("it does not parse: %w", err)
	}
	for _, scheme := range schemes {
		if scheme.Name() == name {
			return scheme.Check(resolver.Target{URL: *parsed})
		}
	}
	if resolver.Get(name) == nil {
		return unknownScheme(name)
	}
	if parsed.Path == "" || parsed.Path == "/" {
		return fmt.Errorf("it names no server: write %s:///host:port", name)
	}
	return nil
}

// unknownScheme says what to import.
func unknownScheme(name string) error {
	switch name {
	case "consul", "etcd", "nacos":
		return fmt.Errorf("the scheme %q is not known to this session: "+
			"import github.com/game-im/im-grpc-sdk/runtime/discovery/%s and pass session.WithDiscovery(%s.Scheme())",
			name, name, name)
	case "xds":
		return fmt.Errorf("the scheme %q is not linked in: import _ \"google.golang.org/grpc/xds\"", name)
	case "http", "https", "grpc", "grpcs", "tcp":
		return fmt.Errorf("%q is no gRPC scheme: write host:port, or dns:///host:port; "+
			"for TLS pass session.WithTransportCredentials", name)
	default:
		return fmt.Errorf("the scheme %q is not known: pass session.WithDiscovery with a discovery.Scheme for it; "+
			"without any, static, dns, passthrough and unix are known", name)
	}
}

// checkHostPort takes what has no scheme, as gRPC does: host:port, unix:path, dns:host.
func checkHostPort(target string) error {
	if strings.ContainsAny(target, " \t\r\n") {
		return errors.New("it has a space in it: write host:port, or a target such as static:///a:1,b:2")
	}
	if strings.Contains(target, ",") {
		return fmt.Errorf("it has several servers: write static:///%s", target)
	}
	name, rest, found := strings.Cut(target, ":")
	if !found || resolver.Get(name) != nil {
		return nil // dns assumes a port of its own, and the scheme's resolver looks at the rest
	}
	if rest == "" {
		return errors.New("the port is missing: write host:port")
	}
	return nil
}
