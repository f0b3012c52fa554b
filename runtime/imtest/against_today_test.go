package imtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/today"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestASessionWorksWithEachDeployedServerForTenMinutes(t *testing.T) {
	t.Parallel()
	for name, options := range deployedServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { chatOnDeployed(t, options) })
		})
	}
}

func chatOnDeployed(t *testing.T, options today.Options) {
	t.Helper()
	d := deploy(t, options)
	began := time.Now()
	connect(t, d.ours)
	if took := time.Since(began); took > time.Second {
		t.Errorf("Connect took %s", took)
	}
	if got := d.ours.Capabilities(); got != (session.Capabilities{}) {
		t.Errorf("capabilities %+v against a server of today", got)
	}

	// Three minutes in which nobody speaks but the session: some servers send nothing at all.
	var wantTexts []string
	speak := func(text string) {
		t.Helper()
		receipt, err := d.client.SendText(t.Context(), "r", &imv1.TextContent{Text: text})
		if err != nil || receipt.Appended || receipt.MessageID == "" {
			t.Fatalf("receipt %+v, %v of a server that gives none", receipt, err)
		}
		wantTexts = append(wantTexts, text)
	}
	for i := range 12 {
		speak(fmt.Sprint("alone ", i))
		time.Sleep(15 * time.Second)
	}
	d.heard.expect(t)

	// Seven minutes of traffic both ways.
	bob := d.dial(t)
	time.Sleep(5 * time.Second) // some servers' headers take 3
	d.heard.expect(t, "join bob@r ")
	for i := range 41 {
		time.Sleep(10 * time.Second)
		say(t, bob, "r", fmt.Sprint("bob ", i))
		synctest.Wait()
		d.heard.expect(t, fmt.Sprintf("text bob@r bob %d", i), "audio bob@r a1 30.5", "rich bob@r markdown **bold**",
			"unknown bob@r 1001 poll")
		speak(fmt.Sprint("ours ", i))
	}
	others(t, d)
	checkHeard(t, d, bob, wantTexts, options)
	checkAcks(t, d, options)

	d.heard.expect(t)
	if opened := d.srv.Opened(); opened != 2 {
		t.Errorf("%d streams were opened, want the session's and bob's", opened)
	}
	if violations := d.srv.Violations(); len(violations) > 0 {
		t.Errorf("violations: %q", violations)
	}
}

// others sends what is neither text nor from a user, both ways.
func others(t *testing.T, d *deployment) {
	t.Helper()
	for i, push := range []struct {
		message *imv1.MessageResponse
		want    string
	}{
		{
			&imv1.MessageResponse{RoomId: "r", Type: systemType, Content: []byte(`{"event_type":"tick","event_data":{"n":"1"}}`)},
			"system @r tick map[n:1]",
		},
		{
			&imv1.MessageResponse{MessageId: "s2", RoomId: "r", Type: systemType, Content: []byte("the server restarts soon")},
			"invalid @r 4 the server restarts soon",
		},
		{
			&imv1.MessageResponse{MessageId: "a9", FromUserId: "bob", RoomId: "r", Type: audioType, Content: []byte(`{"audioId":"a9","size":"7","x":null}`)},
			"audio bob@r a9 0",
		},
		{
			&imv1.MessageResponse{MessageId: "r9", FromUserId: "bob", RoomId: "r", Type: richType, Content: []byte(`{"type":`)},
			`invalid bob@r 3 {"type":`,
		},
		{
			&imv1.MessageResponse{MessageId: "k9", FromUserId: "bob", RoomId: "r", Type: 2024, Content: []byte{0xff}},
			"unknown bob@r 2024 \xff",
		},
		{
			&imv1.MessageResponse{MessageId: "l9", FromUserId: "eve", RoomId: "r", Type: leaveType},
			"leave eve@r",
		},
	} {
		d.srv.Push(push.message)
		synctest.Wait()
		d.heard.expect(t, push.want)
		if t.Failed() {
			t.Fatalf("push %d", i)
		}
	}
	ctx := t.Context()
	if _, err := d.client.SendAudio(ctx, "r", &imv1.AudioContent{AudioId: "a2", Size: 1 << 40}); err != nil {
		t.Error(err)
	}
	rich := &imv1.RichTextContent{ContentType: "markdown", RawContent: "_a_"}
	if _, err := d.client.SendRichText(ctx, "r", rich, runtime.WithAckRequired()); err != nil {
		t.Error(err)
	}
	if _, err := d.ours.SendRaw(ctx, "r", int32(pollType), []byte("poll")); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

// checkHeard compares what reached the deployed server and, through it, bob.
func checkHeard(t *testing.T, d *deployment, bob *today.Client, texts []string, options today.Options) {
	t.Helper()
	var got []string
	for _, message := range d.srv.Received(textType) {
		if message.GetUserId() == "ours" {
			got = append(got, string(message.GetContent()))
		}
	}
	if !slices.Equal(got, texts) {
		t.Errorf("the server has the texts %q, want %q", got, texts)
	}
	times := 1
	if options.Repeat {
		times = 2
	}
	for kind, content := range map[imv1.MessageType]string{
		audioType: `{"audio_id":"a2","size":1099511627776}`,
		richType:  `{"type":"markdown","content":"_a_"}`,
		pollType:  "poll",
	} {
		found := 0
		for _, message := range bob.Messages(kind) {
			if message.From == "ours" && string(message.Content) == content {
				found++
			}
		}
		if found != times {
			t.Errorf("bob got %s of ours %d times, want %d", kind, found, times)
		}
	}
}

// checkAcks says that what asked for an ACK, and was handled, got one.
func checkAcks(t *testing.T, d *deployment, options today.Options) {
	t.Helper()
	acked := map[string]bool{}
	for _, message := range d.srv.Received(ackType) {
		var ack today.Ack
		if err := json.Unmarshal(message.GetContent(), &ack); err != nil || !ack.Success {
			t.Errorf("ACK %q: %v", message.GetContent(), err)
		}
		acked[ack.OriginalMessageID] = true
	}
	if !options.AckRequired {
		if len(acked) > 0 {
			t.Errorf("ACKs that nobody asked for: %v", acked)
		}
		return
	}
	for _, message := range slices.Concat(d.srv.Received(textType), d.srv.Received(audioType)) {
		if message.GetUserId() == "bob" && !acked[message.GetMessageId()] {
			t.Errorf("%s %q was handled and not acknowledged", message.GetType(), message.GetMessageId())
		}
	}
}

func TestASessionUsesEveryUnaryCallOfADeployedServer(t *testing.T) {
	t.Parallel()
	for name, options := range deployedServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { unaryOnDeployed(t, options) })
		})
	}
}

func unaryOnDeployed(t *testing.T, options today.Options) {
	t.Helper()
	d := deploy(t, options)
	connect(t, d.ours)
	bob := d.dial(t)
	time.Sleep(5 * time.Second)
	d.heard.expect(t, "join bob@r ")
	ctx := t.Context()

	joined, err := d.ours.JoinRoom(ctx, "r2", session.WithJoinMetadata(map[string]string{"nickname": "Us"}))
	if err != nil || joined.GetRoomInfo().GetName() != "room r2" || !slices.Equal(joined.GetOnlineUsers(), []string{"ours"}) {
		t.Errorf("JoinRoom: %v, %v", joined, err)
	}
	synctest.Wait()
	d.heard.take() // a deployed server may tell a user of its own joining
	say(t, bob, "r2", "in r2")
	synctest.Wait()
	d.heard.expect(t, "join bob@r2 ", "text bob@r2 in r2", "audio bob@r2 a1 30.5", "rich bob@r2 markdown **bold**",
		"unknown bob@r2 1001 poll")
	info, err := d.ours.GetRoomInfo(ctx, "r2")
	if err != nil || len(info.GetUsers()) != 2 || info.GetUsers()[1].GetNickname() != "Us" {
		t.Errorf("GetRoomInfo: %v, %v", info, err)
	}
	if _, err := d.ours.GetRoomInfo(ctx, "nowhere"); err == nil || !strings.Contains(err.Error(), "404") ||
		!strings.Contains(err.Error(), "room not found") {
		t.Errorf("GetRoomInfo of no room: %v", err)
	}
	uploadToDeployed(t, d)
	rich := &runtime.Outgoing{
		RoomID: "r", Kind: &imv1sdk.KindRichText.Kind, Type: int32(richType),
		Content: &imv1.RichTextContent{ContentType: "html", RawContent: "<i>"}, AckRequired: true,
	}
	if receipt, err := d.ours.SendUnary(ctx, rich); err != nil || receipt.Appended || receipt.MessageID == "" {
		t.Errorf("SendUnary: %+v, %v", receipt, err)
	}
	if health, err := d.ours.HealthCheck(ctx, ""); err != nil || health.GetStatus() != imv1.HealthStatus_HEALTH_STATUS_SERVING {
		t.Errorf("HealthCheck: %v, %v", health, err)
	}
	if _, err := d.ours.LeaveRoom(ctx, "r2"); err != nil {
		t.Errorf("LeaveRoom: %v", err)
	}
	synctest.Wait()
	if left := bob.Messages(leaveType); len(left) == 0 || left[0].From != "ours" || left[0].Room != "r2" {
		t.Errorf("bob learned of the leaving by %+v", left)
	}
	say(t, bob, "r2", "nobody hears")
	synctest.Wait()
	d.heard.expect(t)
	if violations := d.srv.Violations(); len(violations) > 0 {
		t.Errorf("violations: %q", violations)
	}
}

func uploadToDeployed(t *testing.T, d *deployment) {
	t.Helper()
	sound := bytes.Repeat([]byte("sound"), 20_000)
	stored, err := d.ours.UploadAudio(t.Context(), bytes.NewReader(sound),
		session.AudioInfo{RoomID: "r", Format: "wav", Size: int64(len(sound))})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := d.srv.Audio(stored.GetAudioId()); !ok || !bytes.Equal(got, sound) {
		t.Errorf("the server has %d bytes of audio %q, want %d", len(got), stored.GetAudioId(), len(sound))
	}
	transcript, err := d.ours.GetAudioTranscript(t.Context(), stored.GetAudioId())
	if err != nil || transcript.GetText() != "transcript of "+stored.GetAudioId() {
		t.Errorf("GetAudioTranscript: %v, %v", transcript, err)
	}
}

func TestASessionComesBackToEachDeployedServer(t *testing.T) {
	t.Parallel()
	for name, options := range deployedServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { comeBackToDeployed(t, options) })
		})
	}
}

func comeBackToDeployed(t *testing.T, options today.Options) {
	t.Helper()
	ctx := t.Context()
	d := deploy(t, options)
	connect(t, d.ours)
	for _, room := range []string{"r2", "r3", "left"} {
		if _, err := d.ours.JoinRoom(ctx, room); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.ours.LeaveRoom(ctx, "left"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	before := d.srv
	d.stop()
	synctest.Wait()
	if told := d.heard.take(); len(told) == 0 || !strings.HasPrefix(told[0], "disconnected: ") {
		t.Fatalf("told %q", told)
	}

	// A send waits while there is no server, and arrives once when there is one.
	sent := make(chan error, 1)
	go func() {
		_, err := d.client.SendText(ctx, "r2", &imv1.TextContent{Text: "patience"})
		sent <- err
	}()
	time.Sleep(time.Minute)
	d.start(options)
	if err := <-sent; err != nil {
		t.Error(err)
	}
	time.Sleep(time.Minute)
	for room, want := range map[string][]string{"r": {"ours"}, "r2": {"ours"}, "r3": {"ours"}, "left": nil} {
		if members := d.srv.Members(room); !slices.Equal(members, want) {
			t.Errorf("in %s: %q, want %q", room, members, want)
		}
	}
	if texts := d.srv.Received(textType); len(texts) != 1 || string(texts[0].GetContent()) != "patience" {
		t.Errorf("the new server has the texts %v", texts)
	}
	if opened := d.srv.Opened(); opened != 1 {
		t.Errorf("%d streams were opened on the new server", opened)
	}
	if violations := slices.Concat(before.Violations(), d.srv.Violations()); len(violations) > 0 {
		t.Errorf("violations: %q", violations)
	}
}
