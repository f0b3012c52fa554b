package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// must ends an example that cannot go on.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// serve starts a server on a free port, for the examples.
func serve() (address string, stop func()) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(err)
	srv, err := server.New()
	must(err)
	grpcServer := grpc.NewServer(server.GRPCOptions()...)
	imv1.RegisterIMServiceServer(grpcServer, srv)
	go func() { _ = grpcServer.Serve(listener) }() // its error says that stop was called
	return listener.Addr().String(), func() { srv.Close(); grpcServer.Stop() }
}

// A session of its own connection: handlers first, then Connect, then sends.
func ExampleDial() {
	address, stop := serve()
	defer stop()

	s, err := session.Dial("static:///"+address,
		session.WithUser("ann"),
		session.WithRoom("lobby", session.WithNickname("Annika")),
		session.WithReconnect(session.Reconnect{Attempts: 10, Max: time.Minute}),
	)
	must(err)
	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			fmt.Printf("<%s> %s\n", m.From, m.Content.GetText())
			return nil
		},
	})
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(s.Connect(ctx))
	receipt, err := im.SendText(ctx, "lobby", &imv1.TextContent{Text: "Is anybody here?"})
	must(err)
	fmt.Println("appended:", receipt.Appended)
	info, err := s.GetRoomInfo(ctx, "lobby")
	must(err)
	for _, user := range info.GetUsers() {
		fmt.Printf("%s is called %s\n", user.GetUserId(), user.GetNickname())
	}

	_ = s.Close()
	_, err = im.SendText(ctx, "lobby", &imv1.TextContent{Text: "Too late."})
	fmt.Println(errors.Is(err, session.ErrClosed))
	<-s.Done() // nothing of the session runs any more
	// Output:
	// appended: true
	// ann is called Annika
	// true
}

// A session on a gRPC client that the application has already, from its own service discovery for example. The
// connection stays the application's.
func ExampleNew() {
	address, stop := serve()
	defer stop()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	defer func() { _ = conn.Close() }()

	s, err := session.New(imv1.NewIMServiceClient(conn), session.WithUser("ann"), session.WithConn(conn))
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(s.Connect(ctx))
	joined, err := s.JoinRoom(ctx, "lobby")
	must(err)
	fmt.Println(s.State(), "with", joined.GetRoomInfo().GetUserCount(), "user in the room")
	_ = s.Close()
	<-s.Done()
	// Output:
	// connected with 1 user in the room
}

// A file that carries a session's cursors over a restart. Each session has one of its own.
func ExampleOpenCursorFile() {
	folder, err := os.MkdirTemp("", "cursors")
	must(err)
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "ann.cursors")

	store, err := session.OpenCursorFile(path)
	must(err)
	ctx := context.Background()
	must(store.Save(ctx, []session.Cursor{{RoomID: "lobby", Epoch: 7, Seq: 41}, {RoomID: "den", Epoch: 8, Seq: 3}}))
	must(store.Save(ctx, []session.Cursor{{RoomID: "lobby", Epoch: 7, Seq: 42}}))
	must(store.Delete(ctx, "den"))
	must(store.Close())

	store, err = session.OpenCursorFile(path)
	must(err)
	defer func() { _ = store.Close() }()
	cursors, err := store.Load(ctx)
	must(err)
	fmt.Printf("%+v\n", cursors)
	// Output:
	// [{RoomID:lobby Epoch:7 Seq:42}]
}
