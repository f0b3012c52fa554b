package sdk

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// ServerOptions give a server its log, and let it drain quickly.
func ServerOptions(engine roomlog.Engine) []server.Option {
	return []server.Option{server.WithLog(engine), server.WithDrainSpread(300 * time.Millisecond)}
}

// Keep is how much a memory engine keeps.
type Keep struct {
	Messages int
	Bytes    int64 // of a room, and of all
}

// MemoryLog makes an engine in memory.
func MemoryLog(keep Keep) *roomlog.Memory {
	return roomlog.NewMemory(roomlog.Retention{
		Messages: keep.Messages, Bytes: keep.Bytes, TotalBytes: keep.Bytes, Age: 24 * time.Hour,
	})
}

// Drain ends a server as an operator does.
func Drain(ctx context.Context, srv *server.Server, g *grpc.Server) error { return srv.Drain(ctx, g) }
