package imtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// recorder writes down what a session's handlers and callbacks are told, a line each.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) addf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// take gives the lines since the last take.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

// expect takes the lines and compares them. Lines of one room have an order; so have all lines of these tests, which
// wait between any two messages of different rooms.
func (r *recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := r.take(); !slices.Equal(got, want) {
		t.Fatalf("told:\n  %q\nwant:\n  %q", got, want)
	}
}

// record registers a client whose handlers write everything down. Leave it idle: Connect comes after.
func record(t *testing.T, on *session.Session, r *recorder) *imv1sdk.Client {
	t.Helper()
	client, err := imv1sdk.NewClient(on, r.handlers())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (r *recorder) handlers() imv1sdk.Handlers {
	return imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			r.addf("text %s@%s %s", m.From, m.RoomID, m.Content.GetText())
			return nil
		},
		OnAudio: func(_ context.Context, m *imv1sdk.AudioMessage) error {
			r.addf("audio %s@%s %s %g", m.From, m.RoomID, m.Content.GetAudioId(), m.Content.GetDuration())
			return nil
		},
		OnRichText: func(_ context.Context, m *imv1sdk.RichTextMessage) error {
			r.addf("rich %s@%s %s %s", m.From, m.RoomID, m.Content.GetContentType(), m.Content.GetRawContent())
			return nil
		},
		OnSystem: func(_ context.Context, m *imv1sdk.SystemMessage) error {
			r.addf("system %s@%s %s %v", m.From, m.RoomID, m.Content.GetEventType(), m.Content.GetEventData())
			return nil
		},
		OnJoin: func(_ context.Context, m *imv1sdk.JoinMessage) error {
			if m.From != "ours" { // some deployed servers tell users of their own joining
				r.addf("join %s@%s %s", m.From, m.RoomID, m.Metadata["nickname"])
			}
			return nil
		},
		OnLeave: func(_ context.Context, m *imv1sdk.LeaveMessage) error {
			r.addf("leave %s@%s", m.From, m.RoomID)
			return nil
		},
		OnInvalid: func(_ context.Context, in *runtime.Incoming) error {
			r.addf("invalid %s@%s %d %s", in.From, in.RoomID, in.Type, in.Raw)
			return nil
		},
	}
}

// told are the options of a session that writes down what no handler is told.
func (r *recorder) told() []session.Option {
	return []session.Option{
		session.WithOnDisconnect(func(err error) { r.addf("disconnected: %v", err) }),
		session.WithOnError(func(err error) { r.addf("error: %v", err) }),
		session.WithUnknown(func(_ context.Context, in *runtime.Incoming) error {
			r.addf("unknown %s@%s %d %s", in.From, in.RoomID, in.Type, in.Raw)
			return nil
		}),
	}
}
