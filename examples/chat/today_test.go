package main

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
)

// deployed is a server of today: no handshake, no header of its own, heartbeats unanswered, everything to everybody.
type deployed struct {
	imv1.UnimplementedIMServiceServer

	mu      sync.Mutex
	streams map[string]grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]
}

func (d *deployed) StreamMessages(stream grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]) error {
	about, _ := metadata.FromIncomingContext(stream.Context())
	user := strings.Join(about.Get("user-id"), "")
	d.mu.Lock()
	d.streams[user] = stream
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.streams, user)
	}()
	for {
		message, err := stream.Recv()
		if err != nil {
			return nil // the client has gone
		}
		if message.GetType() != imv1.MessageType_MESSAGE_TYPE_HEARTBEAT {
			d.push(user, &imv1.MessageResponse{
				MessageId: message.GetMessageId(), FromUserId: user, RoomId: message.GetRoomId(),
				Type: message.GetType(), Content: message.GetContent(), Metadata: message.GetMetadata(),
			})
		}
	}
}

// push sends a message to all but its sender.
func (d *deployed) push(from string, message *imv1.MessageResponse) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for user, stream := range d.streams {
		if user != from {
			_ = stream.Send(message)
		}
	}
}

func (d *deployed) JoinRoom(_ context.Context, request *imv1.JoinRoomRequest) (*imv1.JoinRoomResponse, error) {
	if request.GetRoomId() == "vault" {
		return &imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: 4031, Message: "members only"}}, nil
	}
	return &imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: 200}}, nil
}

func (d *deployed) LeaveRoom(context.Context, *imv1.LeaveRoomRequest) (*imv1.LeaveRoomResponse, error) {
	return new(imv1.LeaveRoomResponse), nil
}

func (d *deployed) UploadAudio(stream grpc.ClientStreamingServer[imv1.UploadAudioRequest, imv1.UploadAudioResponse]) error {
	for {
		if _, err := stream.Recv(); err == io.EOF { //nolint:errorlint // gRPC returns it bare
			return stream.SendAndClose(&imv1.UploadAudioResponse{AudioId: "a1"})
		} else if err != nil {
			return err
		}
	}
}

// serve serves in memory until the test ends.
func (d *deployed) serve(t *testing.T) dialTo {
	t.Helper()
	listener := bufconn.Listen(64 << 10)
	srv := grpc.NewServer()
	imv1.RegisterIMServiceServer(srv, d)
	go srv.Serve(listener) //nolint:errcheck // Stop ends it
	t.Cleanup(srv.Stop)
	return func(string) dialFunc {
		return func(opts ...session.Option) (*session.Session, error) {
			return session.Dial("passthrough:///deployed", append(opts, session.WithDialOptions(
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) })))...)
		}
	}
}

func TestItWorksWithAServerOfToday(t *testing.T) {
	t.Parallel()
	tone := filepath.Join(t.TempDir(), "tone.wav")
	if err := os.WriteFile(tone, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		srv := &deployed{streams: map[string]grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]{}}
		hall := srv.serve(t)
		ann, bob := hall.sit(t, "ann"), hall.sit(t, "bob")
		time.Sleep(2 * time.Second) // the wait for a header that never comes
		const hello = "* connected; this server does not tell what became of a message"
		ann.sees("* connecting to hall as ann …", hello, "* you are in lobby; /help lists the commands")
		bob.overlooks()
		ann.types("hello", "/md **hi**")
		bob.sees("[lobby] <ann> hello", "[lobby] <ann> (markdown) **hi**")
		ann.types("/join vault", "/join attic", "up here")
		bob.sees("[attic] <ann> up here")
		ann.types("/leave", "/who", "/audio "+tone)
		bob.sees("[lobby] <ann> audio a1, tone.wav, wav, 100 bytes")
		ann.sees(`! join room (room "vault"): the service's error 4031: members only`, "* you are in attic",
			"* you have left attic", "* you talk in lobby now",
			`! get room info (room "lobby"): Unimplemented: method GetRoomInfo not implemented`,
			"* tone.wav: 100 % of 100 bytes", "* tone.wav is sent as audio a1")
		srv.push("", &imv1.MessageResponse{
			RoomId: "lobby", Type: imv1.MessageType_MESSAGE_TYPE_SYSTEM, Content: []byte("closed at seven"),
		})
		srv.push("", &imv1.MessageResponse{FromUserId: "cat", RoomId: "lobby", Type: imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM})
		srv.push("", &imv1.MessageResponse{FromUserId: "cat", RoomId: "lobby", Type: imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM})
		ann.sees("[lobby] * the server says: closed at seven", "[lobby] * cat has joined", "[lobby] * cat has left")
		time.Sleep(10 * time.Minute)
		ann.types("still here")
		bob.overlooks()
		ann.sees("")
		ann.types("/quit")
		if err := ann.leaves(); err != nil {
			t.Error(err)
		}
		ann.sees("* bye")
		bob.stop()
		if err := bob.leaves(); err != nil {
			t.Error(err)
		}
	})
}
