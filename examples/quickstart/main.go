// Quickstart is the SDK's main job in one process: a server on a real TCP port and three users who chat. It ends with
// a line of counts, and with exit code 1 if anything did not arrive. Run it with `make demo`.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := run(ctx, newConsole(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1) //nolint:gocritic // the deferred calls only end contexts
	}
}

// story is the demo: who takes part, and what has been counted.
type story struct {
	*console

	host          *host
	ann, bob, cat *user
	violations    int // found before anything was sent
	refused       int // by the server
}

func run(ctx context.Context, console *console) error {
	audio, err := startAudioHost(ctx)
	if err != nil {
		return err
	}
	defer audio.stop()
	s := &story{console: console}
	if s.host, err = startHost(ctx, audio); err != nil {
		return err
	}
	defer s.host.stop() //nolint:errcheck // the story is over
	console.heading("An IM server on %s", s.host.address)

	for _, step := range []func(context.Context) error{
		s.join, s.talk, s.sendAudio, s.sendWhatIsWrong, s.restart, s.leave, s.count,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) users() []*user { return []*user{s.ann, s.bob, s.cat} }

// everybody awaits a thing at several users.
func everybody(ctx context.Context, what string, users ...*user) error {
	for _, u := range users {
		if err := u.await(ctx, what); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) join(ctx context.Context) error {
	s.heading("Three users connect and join %q", lobby)
	var err error
	for _, next := range []struct {
		user                  **user
		name, nickname, color string
	}{{&s.ann, "ann", "Annika", cyan}, {&s.bob, "bob", "Bob the Bot", green}, {&s.cat, "cat", "Cátia", magenta}} {
		if *next.user, err = newUser(s.host.address, next.name, next.color, s.console); err != nil {
			return err
		}
		u := *next.user
		if err := u.session.Connect(ctx); err != nil {
			return err
		}
		if _, err := u.session.JoinRoom(ctx, lobby, session.WithNickname(next.nickname)); err != nil {
			return err
		}
	}
	return everybody(ctx, "join", s.ann, s.ann, s.bob) // ann sees two come, bob one
}

func (s *story) talk(ctx context.Context) error {
	s.heading("Text, rich text, and a word from the server")
	if err := s.ann.text(ctx, "Hello, everybody!"); err != nil {
		return err
	}
	if err := everybody(ctx, "text", s.bob, s.cat); err != nil {
		return err
	}
	rich := &imv1.RichTextContent{ContentType: "markdown", RawContent: "**Hi**, _ann_!"}
	if _, err := s.bob.im.SendRichText(ctx, lobby, rich); err != nil {
		return err
	}
	if err := everybody(ctx, "rich text", s.ann, s.cat); err != nil {
		return err
	}
	news := &imv1.SystemContent{EventType: "happy_hour"}
	if _, err := s.host.publisher.PublishSystem(ctx, lobby, news); err != nil {
		return err
	}
	return everybody(ctx, "system", s.users()...)
}

func (s *story) sendAudio(ctx context.Context) error {
	s.heading("Cat records a tone, uploads it and tells the room")
	const length = 3 * time.Second
	wav := wavTone(length)
	uploaded, err := s.cat.session.UploadAudio(ctx, bytes.NewReader(wav), session.AudioInfo{
		RoomID: lobby, Format: "wav", Size: int64(len(wav)), Duration: length,
	})
	if err != nil {
		return err
	}
	s.cat.say("uploaded %d bytes as %s", len(wav), uploaded.GetAudioId())
	content := &imv1.AudioContent{
		AudioId: uploaded.GetAudioId(), AudioUrl: uploaded.GetAudioUrl(), Format: "wav",
		Size: int64(len(wav)), Duration: length.Seconds(),
	}
	hash := runtime.WithMetadata(map[string]string{"sha256": hashOf(wav)})
	if _, err := s.cat.im.SendAudio(ctx, lobby, content, hash); err != nil {
		return err
	}
	return everybody(ctx, "audio", s.ann, s.bob)
}

func (s *story) sendWhatIsWrong(ctx context.Context) error {
	s.heading("What breaks the rules goes nowhere")
	_, err := s.bob.im.SendAudio(ctx, lobby, &imv1.AudioContent{Duration: -1})
	violations := runtime.Violations(err)
	for _, violation := range violations {
		s.line(red, "bob", "not sent: %s", violation)
	}
	if len(violations) != 2 {
		return fmt.Errorf("two violations were expected: %w", err)
	}
	if _, err = s.bob.im.SendText(ctx, lobby, &imv1.TextContent{Text: "FREE COINS"}); err == nil {
		return errors.New("the server took what its hook should refuse")
	}
	s.line(red, "bob", "refused by the server: %v", err)
	s.violations, s.refused = len(violations), 1
	return nil
}

func (s *story) restart(ctx context.Context) error {
	s.heading("The server is stopped and started again")
	for _, u := range s.users() {
		u.forget()
	}
	if err := s.host.stop(); err != nil {
		return err
	}
	if err := s.host.start(ctx); err != nil {
		return err
	}
	if err := everybody(ctx, "connected", s.users()...); err != nil {
		return err
	}
	info, err := s.ann.session.GetRoomInfo(ctx, lobby)
	if err != nil {
		return err
	}
	if got := len(info.GetUsers()); got != len(s.users()) {
		return fmt.Errorf("%d of %d users are back in the room", got, len(s.users()))
	}
	s.ann.say("all %d are back in %q", len(info.GetUsers()), lobby)
	if err := s.cat.text(ctx, "That was quick."); err != nil {
		return err
	}
	return everybody(ctx, "text", s.ann, s.bob)
}

func (s *story) leave(ctx context.Context) error {
	s.heading("Cat leaves")
	if _, err := s.cat.session.LeaveRoom(ctx, lobby); err != nil {
		return err
	}
	return everybody(ctx, "leave", s.ann, s.bob)
}

// count closes the sessions and adds up what they counted.
func (s *story) count(context.Context) error {
	var sent, received, invalid, reconnects uint64
	for _, u := range s.users() {
		stats := u.session.Stats()
		sent += stats.Sent
		received += stats.Received
		invalid += stats.Invalid
		reconnects += stats.Reconnects
		_ = u.session.Close() // it always works
	}
	s.heading("%d sent · %d of them refused by a hook · %d violations, not sent · %d received · %d invalid · %d reconnects",
		sent, s.refused, s.violations, received, invalid, reconnects)
	if sent != 5 || s.refused != 1 || invalid != 0 || reconnects != uint64(len(s.users())) {
		return errors.New("these are not the counts of this story")
	}
	return nil
}
