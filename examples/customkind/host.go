package main

import (
	"context"
	"net"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1/pollv1sdk"
	"github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1/pollv1server"
	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// host is an IM server that knows the SDK's kinds and ours.
type host struct {
	address string
	im      *server.Server
	grpc    *grpc.Server
	serving chan error // what Serve returned
}

// startHost listens on a free port and serves.
func startHost(ctx context.Context) (*host, error) {
	im, err := server.New()
	if err != nil {
		return nil, err
	}
	if _, err := imv1server.Register(im, imv1server.Hooks{}); err != nil {
		return nil, err
	}
	if _, err := pollv1server.Register(im, pollv1server.Hooks{OnPoll: refusePineapple}); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &host{
		address: listener.Addr().String(),
		im:      im,
		grpc:    grpc.NewServer(server.GRPCOptions()...),
		serving: make(chan error, 1),
	}
	imv1.RegisterIMServiceServer(h.grpc, im)
	go func() { h.serving <- h.grpc.Serve(listener) }()
	return h, nil
}

// stop returns when nothing of the server runs any more.
func (h *host) stop() error {
	h.im.Close()
	h.grpc.Stop()
	return <-h.serving
}

// refusePineapple is a hook: it sees each poll before the room does.
func refusePineapple(_ context.Context, m *pollv1sdk.PollMessage) error {
	if slices.Contains(m.Content.GetOptions(), "Pineapple") {
		return status.Error(codes.PermissionDenied, "no pineapple in this room")
	}
	return nil
}
