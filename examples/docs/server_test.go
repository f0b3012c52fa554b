package docs_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func serve(listener net.Listener, started chan<- *imv1server.Publisher, stop <-chan struct{}) error {
	srv, err := server.New(
		server.WithRoomPolicy(func(_ context.Context, roomID string) (*imv1.RoomInfo, error) {
			if !strings.HasPrefix(roomID, "room") {
				return nil, status.Error(codes.NotFound, "rooms are called room001, room002, …")
			}
			return &imv1.RoomInfo{Config: &imv1.RoomConfig{MaxUsers: 100, AllowAudio: true}}, nil
		}),
		server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			join.Role = imv1.UserRole_USER_ROLE_USER // whatever role the client asked for
			return nil
		}),
	)
	if err != nil {
		return err
	}
	publisher, err := imv1server.Register(srv, imv1server.Hooks{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if strings.Contains(m.Content.GetText(), "FREE COINS") {
				return status.Error(codes.PermissionDenied, "no advertisements") // the sender gets this error
			}
			m.Content.Text = strings.TrimSpace(m.Content.GetText()) // what the room gets
			return nil
		},
	})
	if err != nil {
		return err
	}
	grpcServer := grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(grpcServer, srv)
	go func() {
		<-stop
		srv.Close()               // ends the streams; GracefulStop alone would wait for them
		grpcServer.GracefulStop() // lets the other calls end
	}()
	started <- publisher
	return grpcServer.Serve(listener)
}

func publishNews(ctx context.Context, publisher *imv1server.Publisher) error {
	_, err := publisher.PublishSystem(ctx, "room001",
		&imv1.SystemContent{EventType: "round_started", EventData: map[string]string{"round": "7"}},
		runtime.WithMessageID("round-7")) // a second try is then recognised
	return err
}

func TestTheServerOfThePageServes(t *testing.T) {
	t.Parallel()
	listener := bufconn.Listen(1 << 16)
	started, stop, ended := make(chan *imv1server.Publisher, 1), make(chan struct{}), make(chan error, 1)
	go func() { ended <- serve(listener, started, stop) }()
	publisher := <-started
	conn, err := grpc.NewClient("passthrough:///", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	s, err := session.New(imv1.NewIMServiceClient(conn), session.WithUser("ann"), session.WithRoom("room001"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	heard := make(chan string, 1)
	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{OnSystem: func(_ context.Context, m *imv1sdk.SystemMessage) error {
		heard <- m.Content.GetEventType()
		return nil
	}})
	if err = errors.Join(err, s.Connect(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := publishNews(t.Context(), publisher); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "round_started" {
		t.Errorf("got %q", got)
	}
	_, err = im.SendText(t.Context(), "room001", &imv1.TextContent{Text: "FREE COINS"})
	if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "no advertisements") {
		t.Errorf("got %v", err)
	}
	if _, err := s.JoinRoom(t.Context(), "kitchen"); status.Code(err) != codes.NotFound {
		t.Errorf("got %v", err)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
