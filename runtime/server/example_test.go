package server_test

import (
	"context"
	"fmt"
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An IM server in a gRPC server of one's own: with users from tokens, rooms of one's own, and a hook for each kind.
func Example() {
	im, err := server.New(
		server.WithAuthenticator(func(ctx context.Context) (string, error) {
			token := metadata.ValueFromIncomingContext(ctx, "authorization")
			if len(token) == 0 {
				return "", status.Error(codes.Unauthenticated, "send your token as the metadata authorization")
			}
			return strings.TrimPrefix(token[0], "Bearer user-"), nil // look it up
		}),
		server.WithRoomPolicy(func(_ context.Context, roomID string) (*imv1.RoomInfo, error) {
			if !strings.HasPrefix(roomID, "game-") {
				return nil, status.Errorf(codes.NotFound, "there is no game %q", roomID)
			}
			return &imv1.RoomInfo{Config: &imv1.RoomConfig{MaxUsers: 16, AllowAudio: true}}, nil
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer im.Close()
	publisher, err := imv1server.Register(im, imv1server.Hooks{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if strings.Contains(m.Content.GetText(), "http://") {
				return status.Error(codes.PermissionDenied, "links are not allowed here")
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	grpcServer := grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(grpcServer, im)
	// go grpcServer.Serve(listener)

	_, err = publisher.PublishSystem(context.Background(), "game-7", &imv1.SystemContent{EventType: "round_started"})
	fmt.Println(err)
	// Output: publish System (room "game-7"): there is no room "game-7" on this server: a room is made when the first user joins it
}
