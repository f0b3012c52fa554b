package docs_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// meeting is ann, who hears, and bob, who talks, in one room.
type meeting struct {
	ann, bob *session.Session
	im       *imv1sdk.Client // bob's
}

const room = "room001"

func meet(t *testing.T, handlers imv1sdk.Handlers, annsOptions, bobsOptions []session.Option) *meeting {
	t.Helper()
	srv := imtest.NewServer(t)
	m := &meeting{
		ann: srv.Dial("ann", append(annsOptions, session.WithRoom(room))...),
		bob: srv.Dial("bob", append(bobsOptions, session.WithRoom(room))...),
	}
	_, err := imv1sdk.NewClient(m.ann, handlers)
	if err != nil {
		t.Fatal(err)
	}
	if m.im, err = imv1sdk.NewClient(m.bob, imv1sdk.Handlers{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*session.Session{m.ann, m.bob} {
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *meeting) say(t *testing.T, text string, opts ...runtime.SendOption) {
	t.Helper()
	if _, err := m.im.SendText(t.Context(), room, &imv1.TextContent{Text: text}, opts...); err != nil {
		t.Fatal(err)
	}
}

func sendAndJudge(ctx context.Context, im *imv1sdk.Client) error {
	receipt, err := im.SendText(ctx, "room001", &imv1.TextContent{Text: "hi"}, runtime.WithMessageID("order-17"))
	switch {
	case err == nil && receipt.Appended:
		log.Printf("number %d in the room's log; sent twice: %t", receipt.Seq, receipt.Duplicate)
	case err == nil:
		log.Print("on its way; this server gives no receipts")
	case len(runtime.Violations(err)) > 0:
		for _, violation := range runtime.Violations(err) {
			log.Printf("%s %s", violation.Path, violation.Reason) // nothing was sent, or the server refused it
		}
	case errors.Is(err, session.ErrMaybeDelivered):
		log.Print("the connection broke before the receipt came: ", err)
	case status.Code(err) == codes.PermissionDenied:
		log.Print("the server does not want it: ", err)
	}
	return err
}

func TestASendTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	m := meet(t, imv1sdk.Handlers{}, nil, nil)
	if err := sendAndJudge(t.Context(), m.im); err != nil {
		t.Error(err)
	}
	_ = m.bob.Close()
	if err := sendAndJudge(t.Context(), m.im); !errors.Is(err, session.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// seeEverything is what README.md says about messages of every kind, with a sink in place of the log.
func seeEverything(seen chan<- string) []session.Option {
	handle := func(raw []byte) error { seen <- string(raw); return nil }
	options := []session.Option{
		// Before any handler, whatever the kind. It acknowledges nothing.
		session.WithOnMessage(func(_ context.Context, in *runtime.Incoming) {
			log.Printf("%s in %s: kind %d, %q", in.From, in.RoomID, in.Type, in.Raw)
		}),
		// In the place of a handler, for kinds that no generated package of this program has.
		session.WithUnknown(func(_ context.Context, in *runtime.Incoming) error {
			return handle(in.Raw)
		}),
	}
	return options
}

func TestRawMessagesArrive(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	m := meet(t, imv1sdk.Handlers{}, seeEverything(seen), nil)
	if err := sendRaw(t.Context(), m.bob); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != `{"x":1}` {
		t.Errorf("got %q", got)
	}
}

func sendRaw(ctx context.Context, s *session.Session) error {
	_, err := s.SendRaw(ctx, "room001", 1001, []byte(`{"x":1}`))
	return err
}

func logSends(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
	started := time.Now()
	receipt, err := next(ctx, out) // change out before, look at the receipt after, or do not call next at all
	log.Printf("%s to %s took %s: %v", out.Kind, out.RoomID, time.Since(started), err)
	return receipt, err
}

func dropSpam(ctx context.Context, in *runtime.Incoming, next runtime.ReceiveFunc) error {
	if text, ok := in.Content.(*imv1.TextContent); ok && strings.Contains(text.GetText(), "FREE COINS") {
		return nil // handled, as far as the sender can see
	}
	return next(ctx, in)
}

func withInterceptors() []session.Option {
	options := []session.Option{
		session.WithSendInterceptors(logSends),
		session.WithReceiveInterceptors(dropSpam),
		session.WithSendLimit(rate.Every(100*time.Millisecond), 5), // 10 a second, 5 at once; a send beyond it waits
	}
	return options
}

func TestInterceptorsSeeWhatGoesAndComes(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 2)
	m := meet(t, imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
		heard <- m.Content.GetText()
		return nil
	}}, withInterceptors(), withInterceptors())
	m.say(t, "FREE COINS")
	m.say(t, "hello")
	if got := <-heard; got != "hello" {
		t.Errorf("got %q", got)
	}
}

// askForAcks is the sender's side of ACKs.
func askForAcks(note func(string)) session.Option {
	return session.WithOnAck(func(_ context.Context, ack session.Ack) {
		note(ack.From + " has handled " + ack.Content.GetOriginalMessageId())
	})
}

func sendWithAck(ctx context.Context, im *imv1sdk.Client) error {
	_, err := im.SendText(ctx, "room001", &imv1.TextContent{Text: "hi"}, runtime.WithAckRequired())
	return err
}

func TestWhatWasHandledIsAcknowledged(t *testing.T) {
	t.Parallel()
	notes := make(chan string, 1)
	m := meet(t, imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error { return nil }},
		nil, []session.Option{askForAcks(func(note string) { notes <- note })})
	if err := sendWithAck(t.Context(), m.im); err != nil {
		t.Fatal(err)
	}
	if got := <-notes; !strings.HasPrefix(got, "ann has handled ") {
		t.Errorf("got %q", got)
	}
}

func sendAudio(ctx context.Context, s *session.Session, im *imv1sdk.Client, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	uploaded, err := s.UploadAudio(ctx, file, session.AudioInfo{
		RoomID:   "room001",
		Format:   "opus",
		Size:     info.Size(), // 0 if it is not known before
		Duration: 30500 * time.Millisecond,
	}, session.WithProgress(func(sent int64) { log.Printf("%d of %d bytes", sent, info.Size()) }))
	if err != nil {
		return err
	}
	_, err = im.SendAudio(ctx, "room001", &imv1.AudioContent{
		AudioId:  uploaded.GetAudioId(),
		AudioUrl: uploaded.GetAudioUrl(),
		Format:   "opus",
		Size:     info.Size(),
		Duration: 30.5,
	})
	return err
}

func TestAnAudioIsUploadedAndTold(t *testing.T) {
	t.Parallel()
	heard := make(chan *imv1.AudioContent, 1)
	m := meet(t, imv1sdk.Handlers{OnAudio: func(_ context.Context, m *imv1sdk.AudioMessage) error {
		heard <- m.Content
		return nil
	}}, nil, nil)
	path := filepath.Join(t.TempDir(), "voice.opus")
	if err := os.WriteFile(path, bytes.Repeat([]byte("opus"), 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := sendAudio(t.Context(), m.bob, m.im, file); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got.GetSize() != 80_000 || got.GetAudioId() == "" {
		t.Errorf("got %v", got)
	}
}

func useRooms(ctx context.Context, s *session.Session) error {
	joined, err := s.JoinRoom(ctx, "room002", session.WithNickname("Ann"), session.WithRole("moderator"))
	if err != nil {
		return err
	}
	log.Printf("%d users are in %s", joined.GetRoomInfo().GetUserCount(), joined.GetRoomInfo().GetRoomId())

	info, err := s.GetRoomInfo(ctx, "room002")
	if err != nil {
		return err
	}
	for _, user := range info.GetUsers() {
		log.Printf("%s (%s), %s", user.GetUserId(), user.GetNickname(), user.GetRole())
	}

	_, err = s.LeaveRoom(ctx, "room002")
	return err
}

func TestRoomsAreJoinedAndLeft(t *testing.T) {
	t.Parallel()
	s := imtest.NewServer(t).Session("ann")
	if err := useRooms(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if rooms := s.Rooms(); len(rooms) != 0 {
		t.Errorf("still in %v", rooms)
	}
}
