package imtest_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// logBook is where a side's log goes.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// about gives the lines with a text.
func (b *logBook) about(text string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
	for line := range strings.Lines(b.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

func TestBothSidesLogOnceWhichKindsDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var servers, clients, others logBook
		srv := imtest.NewServer(t,
			imtest.WithServerOptions(server.WithLogger(servers.logger())),
			imtest.WithSetup(func(s *server.Server) error {
				_, err := imv1server.Register(s, imv1server.Hooks{})
				return err
			}))
		same := srv.Dial("ann", session.WithRoom("r"), session.WithLogger(clients.logger()))
		if _, err := imv1sdk.NewClient(same, imv1sdk.Handlers{}); err != nil {
			t.Fatal(err)
		}
		other := srv.Dial("bob", session.WithRoom("r"), session.WithLogger(others.logger()))
		if err := other.Register(runtime.Registration{Package: "other", Routes: []runtime.Route{
			runtime.On(otherText(1), nil), runtime.On(otherText(1000), nil),
		}}); err != nil {
			t.Fatal(err)
		}
		for _, each := range []*session.Session{same, other} {
			if err := each.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		srv.Restart()
		time.Sleep(time.Minute)
		if err := other.WaitState(context.Background(), session.StateConnected); err != nil {
			t.Fatal(err)
		}
		const generated = "was generated with"
		if lines := clients.about(generated); len(lines) > 0 {
			t.Errorf("the same kinds: %v", lines)
		}
		atOther, atServer := others.about(generated), servers.about(generated)
		if len(atOther) != 1 || len(atServer) != 2 { // a line for each life of the server
			t.Fatalf("%d lines of the session, %d of the server:\n%v\n%v", len(atOther), len(atServer), atOther, atServer)
		}
		for _, want := range []string{
			"level=WARN", "1 im.v1.TextContent (both, proto) here, 1 im.v1.TextContent (both, raw) there",
			"only_here=\"[1000 im.v1.TextContent (both, proto)]\"", "only_there=\"[2 im.v1.AudioContent",
		} {
			if !strings.Contains(atOther[0], want) {
				t.Errorf("the session's line lacks %q:\n%s", want, atOther[0])
			}
		}
		if !strings.Contains(atServer[0], "only_there=\"[1000 im.v1.TextContent (both, proto)]\"") {
			t.Errorf("the server's line is\n%s", atServer[0])
		}
	})
}

// otherText is a kind as a program from older or newer protos has it.
func otherText(number int32) *runtime.TypedKind[*imv1.TextContent] {
	return runtime.NewKind(runtime.KindSpec[*imv1.TextContent]{
		Number: number, Name: "Text", Encoding: runtime.EncodingProto,
		New: func() *imv1.TextContent { return new(imv1.TextContent) },
	})
}
