package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1/pollv1sdk"
	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const room = "lunch"

// user is one session with a client for each proto package.
type user struct {
	name    string
	out     io.Writer
	session *session.Session
	chat    *imv1sdk.Client
	polls   *pollv1sdk.Client
	seen    chan struct{} // one for each message that was handled
}

// connect opens a user's session and joins the room.
func connect(ctx context.Context, address, name string, out io.Writer) (*user, error) {
	u := &user{name: name, out: out, seen: make(chan struct{}, 8)}
	var err error
	u.session, err = session.Dial("static:///"+address, session.WithUser(name), session.WithRoom(room))
	if err != nil {
		return nil, err
	}
	u.chat, err = imv1sdk.NewClient(u.session, imv1sdk.Handlers{OnText: u.onText})
	if err != nil {
		return nil, err
	}
	u.polls, err = pollv1sdk.NewClient(u.session, pollv1sdk.Handlers{OnPoll: u.onPoll})
	if err != nil {
		return nil, err
	}
	if err := u.session.Connect(ctx); err != nil {
		return nil, errors.Join(err, u.session.Close())
	}
	return u, nil
}

func (u *user) onText(_ context.Context, m *imv1sdk.TextMessage) error {
	fmt.Fprintf(u.out, "%s reads: <%s> %s\n", u.name, m.From, m.Content.GetText())
	u.seen <- struct{}{}
	return nil
}

// onPoll takes the first answer, and says so.
func (u *user) onPoll(ctx context.Context, m *pollv1sdk.PollMessage) error {
	options := m.Content.GetOptions()
	fmt.Fprintf(u.out, "%s is asked by %s: %s (%s)\n", u.name, m.From, m.Content.GetQuestion(), strings.Join(options, ", "))
	u.seen <- struct{}{}
	return u.text(ctx, options[0]+"!") // a poll has two options or more, or it would not be here
}

func (u *user) text(ctx context.Context, text string) error {
	_, err := u.chat.SendText(ctx, room, &imv1.TextContent{Text: text})
	return err
}

// await waits until the user has handled one more message, or ctx ends.
func (u *user) await(ctx context.Context) {
	select {
	case <-u.seen:
	case <-ctx.Done():
	}
}
