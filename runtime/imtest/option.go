package imtest

import (
	"google.golang.org/grpc"

	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// Option changes a test's server. There is one constructor for each, With….
type Option interface{ apply(cfg *config) }

type option func(cfg *config)

func (o option) apply(cfg *config) { o(cfg) }

type config struct {
	server []server.Option
	grpc   []grpc.ServerOption
	setup  []func(srv *server.Server) error
}

// WithServerOptions gives options to the server. Default: none.
func WithServerOptions(opts ...server.Option) Option {
	return option(func(cfg *config) { cfg.server = append(cfg.server, opts...) })
}

// WithGRPCOptions gives options to the grpc.Server, after server.GRPCOptions(): interceptors, for instance. Default:
// none.
func WithGRPCOptions(opts ...grpc.ServerOption) Option {
	return option(func(cfg *config) { cfg.grpc = append(cfg.grpc, opts...) })
}

// WithSetup is called with each new server before it serves, also after [Server.Restart]: this is where hooks are
// registered. An error ends the test. May be given several times. Default: nothing.
func WithSetup(setup func(srv *server.Server) error) Option {
	return option(func(cfg *config) { cfg.setup = append(cfg.setup, setup) })
}
