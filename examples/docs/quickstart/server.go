package main

import (
	"context"
	"net"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// startServer serves on a free port.
func startServer(ctx context.Context) (address string, stop func(), err error) {
	srv, err := server.New()
	if err != nil {
		return "", nil, err
	}
	if _, err := imv1server.Register(srv, imv1server.Hooks{}); err != nil { // contents are validated here too
		return "", nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	grpcServer := grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(grpcServer, srv)
	go func() { _ = grpcServer.Serve(listener) }() // its error says that stop was called
	return listener.Addr().String(), func() { srv.Close(); grpcServer.Stop() }, nil
}
