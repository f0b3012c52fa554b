package session

import (
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/game-im/im-grpc-sdk/runtime/balancer"
	"github.com/game-im/im-grpc-sdk/runtime/discovery"
)

// dialOption is an option that New refuses.
func dialOption(name string, set func(d *dialing) error) Option {
	return option(func(c *config) error {
		c.dialing.used = append(c.dialing.used, name)
		return wrapOption(name, set(&c.dialing))
	})
}

// WithTransportCredentials secures the connection: credentials.NewTLS(…) for TLS and, with a client certificate in
// its tls.Config, for mTLS. For Dial only. Default: plaintext, as deployed servers inside a cluster speak it; nothing
// is encrypted and the server's identity is not checked.
func WithTransportCredentials(creds credentials.TransportCredentials) Option {
	return dialOption("WithTransportCredentials", func(d *dialing) error {
		if creds == nil {
			return errors.New("the credentials are nil")
		}
		d.credentials = creds
		return nil
	})
}

// WithPerRPCCredentials adds a token or the like to every call, the stream of each reconnect included: gRPC asks creds
// each time, so that a token can be renewed. May be given several times. gRPC refuses to send one that requires
// transport security over plaintext. For Dial only. Default: none.
func WithPerRPCCredentials(creds credentials.PerRPCCredentials) Option {
	return dialOption("WithPerRPCCredentials", func(d *dialing) error {
		if creds == nil {
			return errors.New("the credentials are nil")
		}
		d.perRPC = append(d.perRPC, creds)
		return nil
	})
}

// WithDialOptions gives gRPC further options. They come after the session's own and win over them. Resolvers go into
// WithDiscovery instead, and credentials into WithTransportCredentials: of a connection that has others the session cannot
// cut the one that a server fell silent on. For Dial only. Default: none.
func WithDialOptions(opts ...grpc.DialOption) Option {
	return dialOption("WithDialOptions", func(d *dialing) error {
		d.options = append(d.options, opts...)
		return nil
	})
}

// WithDiscovery adds schemes that targets may have. For Dial only. Default: static, beside what gRPC itself knows (dns,
// passthrough, unix, …).
func WithDiscovery(schemes ...discovery.Scheme) Option {
	return dialOption("WithDiscovery", func(d *dialing) error {
		for _, scheme := range schemes {
			if scheme.Name() == "" {
				return errors.New("a scheme is empty: take the one of a discovery package, or discovery.NewScheme")
			}
		}
		d.schemes = append(d.schemes, schemes...)
		return nil
	})
}

// WithBalancer says to which of a target's servers a call goes; the stream is one call and stays where it started.
// A service config that the resolver delivers wins over it. For Dial only. Default: balancer.RoundRobin.
func WithBalancer(policy balancer.Policy) Option {
	return dialOption("WithBalancer", func(d *dialing) error {
		d.policy = policy
		_, err := policy.ServiceConfig()
		return err
	})
}

// WithConn names the connection that the client given to New uses. The session never closes it; it only asks it to try
// again at once, without waiting for the connection's own backoff, when the session itself tries again. For New only.
// Default: none; how soon the connection comes back is up to its owner.
func WithConn(conn *grpc.ClientConn) Option {
	return option(func(c *config) error {
		if conn == nil {
			return errors.New("WithConn: the connection is nil")
		}
		c.conn = conn
		return nil
	})
}
