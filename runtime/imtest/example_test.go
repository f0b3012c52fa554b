package imtest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// startBot is what is to be tested: a bot that answers every text.
func startBot(ctx context.Context, s *session.Session) error {
	var im *imv1sdk.Client
	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{
		OnText: func(ctx context.Context, m *imv1sdk.TextMessage) error {
			answer := &imv1.TextContent{Text: "You said: " + m.Content.GetText()}
			_, err := im.SendText(ctx, m.RoomID, answer)
			return err
		},
	})
	if err != nil {
		return err
	}
	return s.Connect(ctx)
}

// testBot is its test. In your own test file it is func TestBotAnswers(t *testing.T), with t for tb.
func testBot(tb testing.TB) (answer string) {
	tb.Helper()
	srv := imtest.NewServer(tb)
	if err := startBot(tb.Context(), srv.Dial("bot", session.WithRoom("lobby"))); err != nil {
		tb.Fatal(err)
	}

	heard := make(chan string, 1)
	alice := srv.Dial("alice", session.WithRoom("lobby"))
	im, err := imv1sdk.NewClient(alice, imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			heard <- m.From + ": " + m.Content.GetText()
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := alice.Connect(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if _, err := im.SendText(tb.Context(), "lobby", &imv1.TextContent{Text: "hello"}); err != nil {
		tb.Fatal(err)
	}
	return <-heard
}

// A bot and its test.
func Example() {
	t := &exampleT{}
	defer t.end()
	fmt.Println(testBot(t))
	// Output: bot: You said: hello
}

// exampleT is the testing.TB of an Example, which is given none.
type exampleT struct {
	testing.TB // nil: what is not below is not used

	cleanups []func()
}

func (t *exampleT) Helper()                      {}
func (t *exampleT) Context() context.Context     { return context.Background() }
func (t *exampleT) Cleanup(f func())             { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Fatalf(f string, args ...any) { t.Fatal(fmt.Sprintf(f, args...)) }

func (t *exampleT) Fatal(args ...any) {
	fmt.Println(args...)
	runtime.Goexit() // ends the Example, and fails it
}

func (t *exampleT) end() {
	for _, cleanup := range slices.Backward(t.cleanups) {
		cleanup()
	}
}
