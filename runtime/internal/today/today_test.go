package today_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/today"
)

const (
	text      = imv1.MessageType_MESSAGE_TYPE_TEXT
	audio     = imv1.MessageType_MESSAGE_TYPE_AUDIO
	ack       = imv1.MessageType_MESSAGE_TYPE_ACK
	joined    = imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM
	left      = imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM
	heartbeat = imv1.MessageType_MESSAGE_TYPE_HEARTBEAT
)

// serve runs a server and gives a connection to it.
func serve(t *testing.T, srv imv1.IMServiceServer) *grpc.ClientConn {
	t.Helper()
	listener := memconn.Listen(1 << 16)
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	imv1.RegisterIMServiceServer(server, srv)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///today",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); server.Stop() })
	return conn
}

func dial(t *testing.T, conn *grpc.ClientConn, options today.ClientOptions) *today.Client {
	t.Helper()
	client, err := today.NewClient(t.Context(), conn, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestDeployedPeersChatWithOneAnotherWithoutViolations(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]today.Options{
		"silent":     {},
		"at once":    {Header: today.HeaderAtOnce, AnswerHeartbeats: true, Success: 200},
		"late":       {Header: today.HeaderLate, AckRequired: true},
		"old":        {FirstMessageOnly: true},
		"repetitive": {Repeat: true, Echo: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { chat(t, options) })
		})
	}
}

func chat(t *testing.T, options today.Options) {
	t.Helper()
	srv := today.NewServer(options)
	conn := serve(t, srv)
	alice := dial(t, conn, today.ClientOptions{User: "alice", Room: "r", HeartbeatAtStart: true})
	synctest.Wait()
	bob := dial(t, conn, today.ClientOptions{User: "bob", Room: "r", FirstMessageOnly: true, HeartbeatAtStart: true})
	synctest.Wait()
	if members := srv.Members("r"); !slices.Equal(members, []string{"alice", "bob"}) {
		t.Fatalf("in the room: %q", members)
	}
	if _, err := alice.Send("r", audio, today.JSON(today.Audio{AudioID: "a1", Duration: 30.5})); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Minute)
	bob.Close()
	synctest.Wait()

	want := 1
	if options.Repeat {
		want = 2
	}
	heard := bob.Messages(audio)
	if len(heard) != want || heard[0].Value != (today.Audio{AudioID: "a1", Duration: 30.5}) || heard[0].From != "alice" {
		t.Errorf("bob got %+v", heard)
	}
	if own := len(alice.Messages(audio)) > 0; own != options.Echo {
		t.Errorf("alice got her own message: %v", own)
	}
	if notices := alice.Messages(left); len(notices) != want || notices[0].From != "bob" {
		t.Errorf("alice learned of bob's leaving by %+v", notices)
	}
	if beats := len(srv.Received(heartbeat)); beats < 10 {
		t.Errorf("%d heartbeats in ten minutes", beats)
	}
	if violations := slices.Concat(srv.Violations(), alice.Violations(), bob.Violations()); len(violations) > 0 {
		t.Errorf("violations: %q", violations)
	}
}

func TestTheServerWritesDownWhatNoDeployedClientDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		message *imv1.MessageRequest
		want    string
	}{
		"control frame": {&imv1.MessageRequest{UserId: "u", RoomId: "r", Type: 19}, "control frame 19"},
		"frame":         {&imv1.MessageRequest{UserId: "u", RoomId: "r", Type: 16}, "control frame 16"},
		"unasked ACK": {
			&imv1.MessageRequest{UserId: "u", Type: ack, Content: []byte(`{"original_message_id":"m"}`)}, "nobody asked",
		},
		"int64 as a string": {
			&imv1.MessageRequest{UserId: "u", RoomId: "r", Type: audio, Content: []byte(`{"size":"1"}`)}, "encoding/json",
		},
		"no user":          {&imv1.MessageRequest{RoomId: "r", Type: text}, "user_id"},
		"no room":          {&imv1.MessageRequest{UserId: "u", Type: text}, "no room_id"},
		"no type":          {&imv1.MessageRequest{UserId: "u", RoomId: "r"}, "no type"},
		"a type of nobody": {&imv1.MessageRequest{UserId: "u", RoomId: "r", Type: 99}, "unknown type 99"},
		"no ping":          {&imv1.MessageRequest{UserId: "u", Type: heartbeat}, "instead of ping"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := today.NewServer(today.Options{})
				client := imv1.NewIMServiceClient(serve(t, srv))
				ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), "user-id", "u"))
				defer cancel()
				stream, err := client.StreamMessages(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if err := stream.Send(test.message); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if v := srv.Violations(); len(v) != 1 || !strings.Contains(v[0], test.want) {
					t.Errorf("violations %q, want one about %q", v, test.want)
				}
			})
		})
	}
}

// speaker is a server that says one thing to everybody, behind a header.
type speaker struct {
	imv1.UnimplementedIMServiceServer
	header metadata.MD
	says   *imv1.MessageResponse
}

func (s *speaker) StreamMessages(stream grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]) error {
	if err := stream.SendHeader(s.header); err != nil {
		return err
	}
	if err := stream.Send(s.says); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func TestTheClientWritesDownWhatNoDeployedServerDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header  metadata.MD
		message *imv1.MessageResponse
		want    string
	}{
		"receipt":         {nil, &imv1.MessageResponse{RoomId: "r", Type: 23}, "control frame 23"},
		"frame":           {nil, &imv1.MessageResponse{RoomId: "r", Type: 16}, "control frame 16"},
		"ACK":             {nil, &imv1.MessageResponse{RoomId: "r", Type: ack}, "nobody asked"},
		"JSON that fails": {nil, &imv1.MessageResponse{RoomId: "r", Type: joined, Content: []byte("{")}, "encoding/json"},
		"no room":         {nil, &imv1.MessageResponse{Type: text}, "no room_id"},
		"Welcome": {
			metadata.Pairs("imsdk-welcome-bin", "x"),
			&imv1.MessageResponse{RoomId: "r", Type: text}, "without a Hello",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn := serve(t, &speaker{header: test.header, says: test.message})
				client := dial(t, conn, today.ClientOptions{User: "u"})
				synctest.Wait()
				if v := client.Violations(); len(v) != 1 || !strings.Contains(v[0], test.want) {
					t.Errorf("violations %q, want one about %q", v, test.want)
				}
			})
		})
	}
}
