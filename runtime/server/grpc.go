package server

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxEnvelope is what a gRPC client receives by default.
	maxEnvelope = 4 << 20
	// maxReceive is above every bound of the envelope's rules, so that one message that is too large is refused alone.
	// What is larger than this ends the stream.
	maxReceive = 8 << 20
)

// GRPCOptions are the options that a grpc.Server with this service should have; append your own (credentials,
// interceptors). Half-open connections are found within 40 s (ping after 30 s of silence, 10 s for the answer), clients may
// send keepalive pings every 10 s, with or without a stream, and a message has up to 8 MiB.
func GRPCOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(maxReceive),
	}
}
