package session_test

import (
	"context"
	"log/slog"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestACallbackMayEndItsGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		start(t, &script{}).connected(t,
			session.WithOnState(func(state session.State) {
				d.add("%s", state)
				goruntime.Goexit()
			}),
			session.WithOnConnect(func() { d.add("OnConnect") }))
		synctest.Wait()
		expect(t, "callbacks", d.take, "connecting", "connected", "OnConnect")
	})
}

// onConnected is a logger's handler that looks at the session the moment it is connected.
type onConnected struct {
	slog.Handler

	look func()
}

func (h onConnected) Enabled(context.Context, slog.Level) bool { return true }

func (h onConnected) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h onConnected) Handle(_ context.Context, record slog.Record) error {
	if record.Message == "connected" {
		h.look()
	}
	return nil
}

func TestAReconnectIsCountedBeforeAnybodySeesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Pointer[session.Session]
		d := new(diary)
		logger := slog.New(onConnected{slog.DiscardHandler, func() { d.add("%d", made.Load().Stats().Reconnects) }})
		n := start(t, &script{})
		s := n.session(t, session.WithLogger(logger))
		made.Store(s)
		connect(t, s)
		restart(t, n, s)
		expect(t, "reconnects when connected", d.take, "0", "1")
	})
}
