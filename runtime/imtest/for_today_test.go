package imtest_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/internal/today"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// The types of today, and one of an application.
const (
	textType   = imv1.MessageType_MESSAGE_TYPE_TEXT
	audioType  = imv1.MessageType_MESSAGE_TYPE_AUDIO
	richType   = imv1.MessageType_MESSAGE_TYPE_RICH_TEXT
	systemType = imv1.MessageType_MESSAGE_TYPE_SYSTEM
	ackType    = imv1.MessageType_MESSAGE_TYPE_ACK
	joinType   = imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM
	leaveType  = imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM
	pollType   = imv1.MessageType(1001)
)

// rounds of traffic, ten seconds apart: with what comes before, ten minutes in all.
const rounds = 48

func TestDeployedClientsChatWithASessionOverOurServerForTenMinutes(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]today.ClientOptions{
		"user and room in metadata":                    {Room: "r", HeartbeatAtStart: true},
		"silent for two minutes":                       {Room: "r"},
		"heartbeats every 30 s":                        {Room: "r", Heartbeat: 30 * time.Second},
		"first message only":                           {Room: "r", FirstMessageOnly: true, HeartbeatAtStart: true},
		"first message only, silent for two minutes":   {Room: "r", FirstMessageOnly: true},
		"no default room":                              {},
		"first message only, which names another room": {FirstMessageOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { serveToday(t, options) })
		})
	}
}

func serveToday(t *testing.T, options today.ClientOptions) {
	t.Helper()
	var publisher *imv1server.Publisher
	srv := imtest.NewServer(t, imtest.WithSetup(func(s *server.Server) (err error) {
		publisher, err = imv1server.Register(s, imv1server.Hooks{})
		return err
	}))
	var heard recorder
	ours := srv.Dial("ours", append(heard.told(), session.WithRoom("r"))...)
	client := record(t, ours, &heard)
	connect(t, ours)

	options.User = "bob"
	bob := deployed(t, srv, options)
	time.Sleep(2 * time.Minute) // a client's first heartbeat may be as late as that
	synctest.Wait()
	if options.Room == "" {
		if _, err := bob.Send("r", textType, []byte("here I am")); err != nil { // deployed clients never had to join
			t.Fatal(err)
		}
		synctest.Wait()
		heard.expect(t, "join bob@r ", "text bob@r here I am")
	} else {
		heard.expect(t, "join bob@r ")
	}

	ctx := t.Context()
	for i := range rounds {
		time.Sleep(10 * time.Second)
		say(t, bob, "r", fmt.Sprint("bob ", i))
		synctest.Wait()
		heard.expect(t, fmt.Sprintf("text bob@r bob %d", i), "audio bob@r a1 30.5", "rich bob@r markdown **bold**",
			"unknown bob@r 1001 poll")
		if _, err := client.SendText(ctx, "r", &imv1.TextContent{Text: fmt.Sprint("ours ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.SendAudio(ctx, "r", &imv1.AudioContent{AudioId: "a2", Duration: 1.5, Size: 12}); err != nil {
		t.Fatal(err)
	}
	rich := &imv1.RichTextContent{ContentType: "html", RawContent: "<b>&</b>"}
	if _, err := client.SendRichText(ctx, "r", rich, runtime.WithAckRequired()); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.SendRaw(ctx, "r", int32(pollType), []byte("poll")); err != nil {
		t.Fatal(err)
	}
	if _, err := publisher.PublishSystem(ctx, "r", &imv1.SystemContent{EventType: "room_closing"}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	heard.expect(t, "system @r room_closing map[]")
	checkToday(t, bob)

	if err := ours.Close(); err != nil {
		t.Error(err)
	}
	synctest.Wait()
	if left := bob.Messages(leaveType); len(left) != 1 || left[0].From != "ours" {
		t.Errorf("bob learned of the leaving by %+v", left)
	}
	healthy(t, bob)
}

// say sends one message of each sort.
func say(t *testing.T, client *today.Client, room, text string) {
	t.Helper()
	for _, message := range []struct {
		kind    imv1.MessageType
		content []byte
	}{
		{textType, []byte(text)},
		{audioType, today.JSON(today.Audio{AudioID: "a1", Duration: 30.5})},
		{richType, today.JSON(today.RichText{Type: "markdown", Content: "**bold**"})},
		{pollType, []byte("poll")},
	} {
		if _, err := client.Send(room, message.kind, message.content); err != nil {
			t.Fatal(err)
		}
	}
}

// checkToday compares what the deployed client got in all.
func checkToday(t *testing.T, bob *today.Client) {
	t.Helper()
	texts := bob.Messages(textType)
	if len(texts) != rounds {
		t.Fatalf("bob got %d texts, want the session's %d and none of his own", len(texts), rounds)
	}
	for i, m := range texts {
		if m.From != "ours" || m.Room != "r" || m.ID == "" || m.Value != fmt.Sprint("ours ", i) {
			t.Errorf("text %d is %+v", i, m)
		}
	}
	for _, want := range []struct {
		kind    imv1.MessageType
		content string
		value   any
		ack     bool
	}{
		{
			audioType, `{"audio_id":"a2","duration":1.5,"size":12}`,
			today.Audio{AudioID: "a2", Duration: 1.5, Size: 12},
			false,
		},
		{
			richType, `{"type":"html","content":"<b>&</b>"}`,
			today.RichText{Type: "html", Content: "<b>&</b>"},
			true,
		},
		{pollType, "poll", nil, false},
		{systemType, `{"event_type":"room_closing"}`, nil, false},
	} {
		got := bob.Messages(want.kind)
		if len(got) != 1 || string(got[0].Content) != want.content || got[0].AckRequired != want.ack ||
			want.value != nil && got[0].Value != want.value {
			t.Errorf("%s: bob got %+v, want %s", want.kind, got, want.content)
		}
	}
}

func TestDeployedClientsUseEveryUnaryCallOfOurServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		alice := deployed(t, srv, today.ClientOptions{User: "alice", Room: "r", HeartbeatAtStart: true})
		bob := deployed(t, srv, today.ClientOptions{User: "bob", HeartbeatAtStart: true})
		synctest.Wait()
		ctx, unary := t.Context(), bob.Unary()

		joined, err := unary.JoinRoom(ctx, &imv1.JoinRoomRequest{
			UserId: "bob", RoomId: "r", Metadata: map[string]string{"nickname": "Bobby"},
		})
		if err != nil || !slices.Equal(joined.GetOnlineUsers(), []string{"alice", "bob"}) || !succeeded(joined.GetStatus()) {
			t.Errorf("JoinRoom: %v, %v", joined, err)
		}
		sent, err := unary.SendMessage(ctx, &imv1.SendMessageRequest{
			UserId: "bob", RoomId: "r", Type: textType, Content: []byte("by unary"), AckRequired: true,
		})
		if err != nil || sent.GetMessageId() == "" || !succeeded(sent.GetStatus()) {
			t.Errorf("SendMessage: %v, %v", sent, err)
		}
		info, err := unary.GetRoomInfo(ctx, &imv1.GetRoomInfoRequest{RoomId: "r", UserId: "bob"})
		if err != nil || info.GetRoomInfo().GetUserCount() != 2 || info.GetUsers()[1].GetNickname() != "Bobby" {
			t.Errorf("GetRoomInfo: %v, %v", info, err)
		}
		uploadToday(ctx, t, unary)
		health, err := unary.HealthCheck(ctx, &imv1.HealthCheckRequest{})
		if err != nil || health.GetStatus() != imv1.HealthStatus_HEALTH_STATUS_SERVING {
			t.Errorf("HealthCheck: %v, %v", health, err)
		}
		left, err := unary.LeaveRoom(ctx, &imv1.LeaveRoomRequest{UserId: "bob", RoomId: "r"})
		if err != nil || !succeeded(left.GetStatus()) {
			t.Errorf("LeaveRoom: %v, %v", left, err)
		}
		synctest.Wait()

		if joins := alice.Messages(joinType); len(joins) != 1 || joins[0].Metadata["nickname"] != "Bobby" {
			t.Errorf("alice learned of bob's joining by %+v", joins)
		}
		if texts := alice.Messages(textType); len(texts) != 1 || texts[0].Value != "by unary" || !texts[0].AckRequired {
			t.Errorf("alice got %+v", texts)
		}
		if leaves := alice.Messages(leaveType); len(leaves) != 1 || leaves[0].From != "bob" {
			t.Errorf("alice learned of bob's leaving by %+v", leaves)
		}
		healthy(t, alice)
		healthy(t, bob)
	})
}

// uploadToday uploads as deployed clients do, with a duration of 0, and asks for the transcript.
func uploadToday(ctx context.Context, t *testing.T, unary imv1.IMServiceClient) {
	t.Helper()
	upload, err := unary.UploadAudio(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sound := bytes.Repeat([]byte("sound"), 20_000)
	pieces := []*imv1.UploadAudioRequest{{Data: &imv1.UploadAudioRequest_Metadata{
		Metadata: &imv1.AudioMetadata{UserId: "bob", RoomId: "r", Format: "opus", Size: int64(len(sound))},
	}}}
	for chunk := range slices.Chunk(sound, 32<<10) {
		pieces = append(pieces, &imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: chunk}})
	}
	for _, piece := range pieces {
		if err := upload.Send(piece); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := upload.CloseAndRecv()
	if err != nil || stored.GetAudioId() == "" || !succeeded(stored.GetStatus()) {
		t.Errorf("UploadAudio: %v, %v", stored, err)
	}
	transcript, err := unary.GetAudioTranscript(ctx, &imv1.TranscriptRequest{AudioId: stored.GetAudioId(), UserId: "bob"})
	if err != nil || transcript.GetTranscription().GetStatus() != imv1.TranscriptStatus_TRANSCRIPT_STATUS_FAILED {
		t.Errorf("GetAudioTranscript of a server without a transcriber: %v, %v", transcript, err)
	}
}

// deployed opens a deployed client's stream on a server.
func deployed(t *testing.T, srv *imtest.Server, options today.ClientOptions) *today.Client {
	t.Helper()
	client, err := today.NewClient(t.Context(), srv.Conn(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// healthy says that the client got nothing that it could not know, and has its stream.
func healthy(t *testing.T, client *today.Client) {
	t.Helper()
	if violations := client.Violations(); len(violations) > 0 {
		t.Errorf("violations: %q", violations)
	}
	if err, ended := client.Err(); ended {
		t.Errorf("the stream ended: %v", err)
	}
}

// succeeded reads a status as deployed clients do.
func succeeded(status *imv1.ResponseStatus) bool {
	return status.GetCode() == 0 || status.GetCode() == 200
}

func connect(t *testing.T, sessions ...*session.Session) {
	t.Helper()
	for _, s := range sessions {
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADeployedClientSeesUnavailableWhenOurServerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		bob := deployed(t, srv, today.ClientOptions{User: "bob", Room: "r", HeartbeatAtStart: true})
		time.Sleep(time.Minute)
		srv.Restart()
		synctest.Wait()
		if err, ended := bob.Err(); !ended || status.Code(err) != codes.Unavailable {
			t.Errorf("the stream's end: %v, %v", err, ended)
		}
		again := deployed(t, srv, today.ClientOptions{User: "bob", Room: "r", HeartbeatAtStart: true})
		time.Sleep(time.Minute)
		healthy(t, again)
	})
}
