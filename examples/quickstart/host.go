package main

import (
	"context"
	"net"
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// host is the IM server of the demo: one that can be stopped and started again at the same address.
type host struct {
	address   string
	audio     *audioHost
	publisher *imv1server.Publisher

	im      *server.Server
	grpc    *grpc.Server
	serving chan error // what Serve returned
}

// startHost listens on a free port and serves.
func startHost(ctx context.Context, audio *audioHost) (*host, error) {
	h := &host{address: "127.0.0.1:0", audio: audio}
	return h, h.start(ctx)
}

func (h *host) start(ctx context.Context) error {
	im, err := server.New(server.WithAudioStore(h.audio))
	if err != nil {
		return err
	}
	h.publisher, err = imv1server.Register(im, imv1server.Hooks{OnText: refuseShouting})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", h.address)
	if err != nil {
		return err
	}
	h.address = listener.Addr().String()
	h.im = im
	h.grpc = grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(h.grpc, im)
	h.serving = make(chan error, 1)
	go func() { h.serving <- h.grpc.Serve(listener) }()
	return nil
}

// stop ends every stream and returns when nothing of the server runs any more.
func (h *host) stop() error {
	h.im.Close() // ends the streams; without it GracefulStop would wait for them
	h.grpc.GracefulStop()
	return <-h.serving
}

// refuseShouting is a hook: the room admits no message in capital letters.
func refuseShouting(_ context.Context, m *imv1sdk.TextMessage) error {
	if text := m.Content.GetText(); text == strings.ToUpper(text) {
		return status.Error(codes.PermissionDenied, "no shouting in this room")
	}
	return nil
}
