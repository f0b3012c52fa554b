package docs_test

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"
	"testing"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func dialAsBefore() (*session.Session, error) {
	s, err := session.Dial("im.example.com:8083",
		session.WithUser("user123"),
		session.WithRoom("default_room"),
		session.WithConnectTimeout(10*time.Second),
		session.WithRequestTimeout(30*time.Second),
		session.WithHeartbeat(30*time.Second, 15*time.Second),
		session.WithReconnect(session.Reconnect{Attempts: 3, Base: 5 * time.Second}),
		session.WithOnConnect(func() { log.Println("connected") }),
		session.WithOnDisconnect(func(err error) { log.Println("disconnected:", err) }),
		session.WithOnError(func(err error) { log.Println("error:", err) }),
	)
	return s, err
}

func dialNewClient() (*session.Session, error) {
	s, err := session.Dial("static:///10.0.1.100:8083;weight=3,10.0.1.101:8083",
		session.WithUser("user123"),
	)
	return s, err
}

func injectClient(grpcClient imv1.IMServiceClient) (*session.Session, error) {
	s, err := session.New(grpcClient,
		session.WithUser("user123"),
		session.WithRoom("default_room"),
		session.WithRequestTimeout(60*time.Second),
	)
	return s, err
}

func connectAndGo(ctx context.Context, s *session.Session) error {
	if err := s.Connect(ctx); err != nil {
		return err
	}
	defer s.Close()
	connected := s.State() == session.StateConnected
	log.Println("connected:", connected)
	return nil
}

// handleKinds has one handler for each case of the switch that was in OnMessage.
func handleKinds(s *session.Session) (*imv1sdk.Client, error) {
	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			log.Printf("%s in %s: %s", m.From, m.RoomID, m.Content.GetText())
			return nil
		},
		OnAudio: func(_ context.Context, m *imv1sdk.AudioMessage) error {
			log.Printf("%s: audio %s, %.1f s", m.From, m.Content.GetAudioId(), m.Content.GetDuration())
			return nil
		},
		OnRichText: func(_ context.Context, m *imv1sdk.RichTextMessage) error {
			log.Printf("%s (%s): %s", m.From, m.Content.GetContentType(), m.Content.GetRawContent())
			return nil
		},
		OnSystem: func(_ context.Context, m *imv1sdk.SystemMessage) error {
			log.Printf("%s %v", m.Content.GetEventType(), m.Content.GetEventData())
			return nil
		},
		OnJoin: func(_ context.Context, m *imv1sdk.JoinMessage) error {
			log.Printf("%s (%s) has come", m.From, m.Metadata["nickname"])
			return nil
		},
		OnLeave: func(_ context.Context, m *imv1sdk.LeaveMessage) error {
			log.Printf("%s has gone", m.From)
			return nil
		},
		OnInvalid: func(_ context.Context, in *runtime.Incoming) error {
			log.Printf("%s sent what cannot be read (%v): %q", in.From, in.Err, in.Raw)
			return nil
		},
	})
	return im, err
}

// oneCallback is for those who keep their callback for a while.
func oneCallback(onMessage func(kind int32, from string, raw []byte)) session.Option {
	return session.WithOnMessage(func(_ context.Context, in *runtime.Incoming) {
		onMessage(in.Type, in.From, in.Raw)
	})
}

func sendAll(ctx context.Context, s *session.Session, im *imv1sdk.Client) error {
	if _, err := im.SendText(ctx, "room123", &imv1.TextContent{Text: "Hello World!"}); err != nil {
		return err
	}
	_, err := im.SendRichText(ctx, "room123",
		&imv1.RichTextContent{ContentType: "markdown", RawContent: "**Bold Text**"},
		runtime.WithMetadata(map[string]string{"format": "markdown"}),
		runtime.WithMessageID("my-id-1")) // leave it out: the session makes one
	if err != nil {
		return err
	}
	_, err = s.SendRaw(ctx, "room123", int32(imv1.MessageType_MESSAGE_TYPE_RICH_TEXT),
		[]byte(`{"type":"markdown","content":"**Bold Text**"}`))
	return err
}

func uploadBytes(ctx context.Context, s *session.Session, audioData []byte) (string, error) {
	uploaded, err := s.UploadAudio(ctx, bytes.NewReader(audioData), session.AudioInfo{
		RoomID: "room123", Format: "opus", Size: int64(len(audioData)), Duration: 30500 * time.Millisecond,
	})
	if err != nil {
		return "", err
	}
	return uploaded.GetAudioId(), nil
}

func joinLookLeave(ctx context.Context, s *session.Session) error {
	joined, err := s.JoinRoom(ctx, "room123", session.WithNickname("Ann"), session.WithRole("user"),
		session.WithJoinMetadata(map[string]string{"level": "12"}))
	if err != nil {
		return err
	}
	log.Println("users:", joined.GetRoomInfo().GetUserCount())

	info, err := s.GetRoomInfo(ctx, "room123")
	if err != nil {
		return err
	}
	log.Println("users:", len(info.GetUsers()))

	_, err = s.LeaveRoom(ctx, "room123")
	return err
}

func sendMany(ctx context.Context, im *imv1sdk.Client, texts []string) error {
	for _, text := range texts {
		if _, err := im.SendText(ctx, "room123", &imv1.TextContent{Text: text}); err != nil {
			return err
		}
	}
	return nil
}

func limitSends() session.Option {
	return session.WithSendLimit(rate.Every(100*time.Millisecond), 1)
}

func readCounters(s *session.Session) {
	stats := s.Stats()
	log.Printf("sent %d, received %d, errors %d, reconnects %d, round trip %s",
		stats.Sent, stats.Received, stats.Errors, stats.Reconnects, stats.RTT)
}

func dialForProduction() (*session.Session, error) {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := session.Dial("im.example.com:8083",
		session.WithUser("user123"),
		session.WithLogger(logger),
	)
	return s, err
}

func TestWhatTakesTheOldCallsPlaceWorks(t *testing.T) {
	t.Parallel()
	srv := imtest.NewServer(t)
	texts := make(chan string, 8)
	seen := oneCallback(func(kind int32, from string, raw []byte) {
		if kind == int32(imv1.MessageType_MESSAGE_TYPE_TEXT) {
			texts <- from + ": " + string(raw)
		}
	})
	listener := srv.Dial("ann", session.WithRoom("room123"), seen)
	if _, err := handleKinds(listener); err != nil {
		t.Fatal(err)
	}
	if err := listener.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	talker := srv.Dial("bob", session.WithRoom("room123"), limitSends())
	im, err := handleKinds(talker)
	if err != nil {
		t.Fatal(err)
	}
	if err := talker.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sendAll(t.Context(), talker, im); err != nil {
		t.Error(err)
	}
	if got := <-texts; got != "bob: Hello World!" {
		t.Errorf("the callback got %q", got)
	}
	if err := sendMany(t.Context(), im, []string{"one", "two"}); err != nil {
		t.Error(err)
	}
	if id, err := uploadBytes(t.Context(), talker, []byte("opus")); err != nil || id == "" {
		t.Errorf("got %q, %v", id, err)
	}
	if err := joinLookLeave(t.Context(), talker); err != nil {
		t.Error(err)
	}
	readCounters(talker)
	if got := talker.Stats().Sent; got != 5 {
		t.Errorf("%d messages were sent", got)
	}
}

func TestAnInjectedClientConnects(t *testing.T) {
	t.Parallel()
	var conn grpc.ClientConnInterface = imtest.NewServer(t).Conn()
	s, err := injectClient(imv1.NewIMServiceClient(conn))
	if err != nil {
		t.Fatal(err)
	}
	if err := connectAndGo(t.Context(), s); err != nil {
		t.Error(err)
	}
}
