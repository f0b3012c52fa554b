package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// person sits at a terminal, in a synctest bubble.
type person struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *screen
	stop context.CancelFunc // what Ctrl-C does
	left chan error         // what chatOn returned
}

// dialTo makes the session that a test wants for a user.
type dialTo func(user string) dialFunc

// sit starts a chat and awaits that it is quiet.
func (dial dialTo) sit(t *testing.T, user string, change ...func(s *settings)) *person {
	t.Helper()
	s := settings{target: "hall", user: user, room: "lobby", timeout: 30 * time.Second}
	for _, f := range change {
		f(&s)
	}
	in, out := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	p := &person{t: t, in: out, out: new(screen), stop: stop, left: make(chan error, 1)}
	go func() { p.left <- chatOn(ctx, s, dial(user), newPrinter(p.out, false), in) }()
	t.Cleanup(func() {
		stop()
		_ = out.Close()
	})
	synctest.Wait()
	return p
}

// types writes lines and awaits what they do.
func (p *person) types(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(p.in, line+"\n"); err != nil {
			p.t.Fatal(err)
		}
	}
	synctest.Wait()
}

// sees compares all that was printed since the last time.
func (p *person) sees(lines ...string) {
	p.t.Helper()
	synctest.Wait()
	if got, want := p.out.take(), strings.Join(lines, "\n"); got != want {
		p.t.Fatalf("printed:\n%s\nwant:\n%s", got, want)
	}
}

// overlooks forgets what was printed.
func (p *person) overlooks() {
	synctest.Wait()
	p.out.take()
}

// leaves awaits the end.
func (p *person) leaves() error {
	p.t.Helper()
	select {
	case err := <-p.left:
		return err
	case <-time.After(time.Minute): // of the bubble
		p.t.Fatal("the chat does not end")
		return nil
	}
}

// screen is what was printed.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(text)
}

func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return strings.TrimSuffix(s.text.String(), "\n")
}

// quick comes back soon after a restart.
func quick() session.Option { return session.WithReconnect(session.Reconnect{Max: time.Second}) }
