package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const (
	maxLine  = 1 << 20 // bytes of a line of input; the longest text is shorter
	maxAhead = 256     // lines that are read while a command runs
)

// dialFunc makes a session that is not connected yet.
type dialFunc func(opts ...session.Option) (*session.Session, error)

// chat is one user's conversation. Commands run one after the other in one goroutine; what arrives is printed by the
// session's goroutines.
type chat struct {
	*printer

	settings settings
	session  *session.Session
	im       *imv1sdk.Client
	room     string // where a plain line goes; empty: nowhere. Only commands touch it.
}

// chatOn connects and talks until the input ends, the user quits or ctx is done. An error is for people to read.
func chatOn(ctx context.Context, s settings, dial dialFunc, p *printer, in io.Reader) error {
	c := &chat{printer: p, settings: s}
	link := &link{printer: p}
	var err error
	c.session, err = dial(c.options(link)...)
	if err != nil {
		return err
	}
	defer c.session.Close()
	link.session = c.session
	if c.im, err = imv1sdk.NewClient(c.session, handlers(p)); err != nil {
		return err
	}
	c.notice("connecting to %s as %s …", s.target, s.user)
	if err := c.session.Connect(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	link.first()
	c.enter(ctx)
	err = c.talk(ctx, in)
	c.session.Close() //nolint:gosec // it always returns nil
	<-c.session.Done()
	c.notice("bye")
	return err
}

func (c *chat) options(link *link) []session.Option {
	opts := []session.Option{
		session.WithUser(c.settings.user),
		session.WithAgent("chat"),
		session.WithRequestTimeout(c.settings.timeout),
		session.WithUnknown(printUnknown(c.printer)),
		session.WithOnConnect(link.up),
		session.WithOnDisconnect(link.down),
		session.WithOnError(link.failed),
	}
	if c.settings.room != "" && c.settings.nickname == "" {
		opts = append(opts, session.WithRoom(c.settings.room))
	}
	return opts
}

// enter goes to the first room. WithRoom has done it already unless there is a nickname, which goes with JoinRoom only.
func (c *chat) enter(ctx context.Context) {
	switch {
	case c.settings.room == "":
		c.notice("you are in no room: /join ROOM enters one, /help lists the commands")
	case c.settings.nickname == "":
		c.room = c.settings.room
		c.notice("you are in %s; /help lists the commands", c.room)
	default:
		if err := c.join(ctx, c.settings.room); err != nil {
			c.explain(err)
		}
	}
}

// talk runs the lines of the input until it ends or ctx is done.
func (c *chat) talk(ctx context.Context, in io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, failed := make(chan string, maxAhead), make(chan error, 1)
	go func() {
		defer close(lines)
		failed <- c.read(ctx, cancel, in, lines)
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return <-failed
			}
			c.line(ctx, line)
		}
	}
}

// read hands on lines until /quit. If that comes while nothing can be sent, it does not wait for the lines before it.
func (c *chat) read(ctx context.Context, cancel context.CancelFunc, in io.Reader, lines chan<- string) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		line := scanner.Text()
		if strings.TrimSpace(line) == "/quit" {
			if c.session.State() != session.StateConnected {
				cancel()
			}
			return nil
		}
		select {
		case lines <- line:
		case <-ctx.Done():
			return nil
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line of the input has more than %d bytes", maxLine)
	}
	return scanner.Err()
}
