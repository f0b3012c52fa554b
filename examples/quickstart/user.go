package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const (
	lobby       = "lobby"
	storyLength = 64 // more than any user sees in this story
)

// user is one of the three who chat.
type user struct {
	name, color string
	console     *console
	session     *session.Session
	im          *imv1sdk.Client
	seen        chan string // what arrived, in the words of the story
}

// newUser makes a user's session; connect opens it.
func newUser(address, name, color string, console *console) (*user, error) {
	u := &user{name: name, color: color, console: console, seen: make(chan string, storyLength)}
	var err error
	u.session, err = session.Dial("static:///"+address,
		session.WithUser(name),
		session.WithReconnect(session.Reconnect{Base: 50 * time.Millisecond}),
		session.WithOnDisconnect(u.onDisconnect),
		session.WithOnConnect(func() { u.see("connected") }),
	)
	if err != nil {
		return nil, err
	}
	u.im, err = imv1sdk.NewClient(u.session, imv1sdk.Handlers{
		OnText:     u.onText,
		OnAudio:    u.onAudio,
		OnRichText: u.onRichText,
		OnSystem:   u.onSystem,
		OnJoin:     u.onJoin,
		OnLeave:    u.onLeave,
	})
	return u, err
}

func (u *user) onDisconnect(err error) {
	if !errors.Is(err, session.ErrClosed) {
		u.say("lost the server (%v)", err)
	}
}

func (u *user) onText(_ context.Context, m *imv1sdk.TextMessage) error {
	u.say("<%s> %s", m.From, m.Content.GetText())
	u.see("text")
	return nil
}

func (u *user) onRichText(_ context.Context, m *imv1sdk.RichTextMessage) error {
	u.say("<%s> %s (%s)", m.From, m.Content.GetRawContent(), m.Content.GetContentType())
	u.see("rich text")
	return nil
}

// onAudio fetches the audio and compares it with the hash that came along.
func (u *user) onAudio(ctx context.Context, m *imv1sdk.AudioMessage) error {
	hash, err := fetchHash(ctx, m.Content.GetAudioUrl())
	if err != nil {
		return err
	}
	if want := m.Metadata["sha256"]; hash != want {
		return fmt.Errorf("the audio's hash is %s, not %s", hash, want)
	}
	u.say("<%s> %s audio, %.1f s, %d bytes, sha256 %s… as sent",
		m.From, m.Content.GetFormat(), m.Content.GetDuration(), m.Content.GetSize(), hash[:8])
	u.see("audio")
	return nil
}

func (u *user) onSystem(_ context.Context, m *imv1sdk.SystemMessage) error {
	u.say("the server says: %s", m.Content.GetEventType())
	u.see("system")
	return nil
}

func (u *user) onJoin(_ context.Context, m *imv1sdk.JoinMessage) error {
	u.say("%s (%s) is here, %d in the room", m.From, m.Metadata["nickname"], m.Content.GetUserCount())
	u.see("join")
	return nil
}

func (u *user) onLeave(_ context.Context, m *imv1sdk.LeaveMessage) error {
	u.say("%s has left, %d in the room", m.From, m.Content.GetUserCount())
	u.see("leave")
	return nil
}

// text sends a text to the lobby and tells of the receipt.
func (u *user) text(ctx context.Context, text string) error {
	receipt, err := u.im.SendText(ctx, lobby, &imv1.TextContent{Text: text})
	if err != nil {
		return err
	}
	u.say("sent %q: number %d of the room's log", text, receipt.Seq)
	return nil
}

func (u *user) say(format string, args ...any) { u.console.line(u.color, u.name, format, args...) }

func (u *user) see(what string) { u.seen <- what }

// forget passes over all that was seen so far.
func (u *user) forget() {
	for len(u.seen) > 0 {
		<-u.seen
	}
}

// await waits until the user has seen a thing; what came before it is passed over.
func (u *user) await(ctx context.Context, what string) error {
	for {
		select {
		case got := <-u.seen:
			if got == what {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("%s waits for %s: %w", u.name, what, context.Cause(ctx))
		}
	}
}
