package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// command is what a line with a slash does.
type command struct {
	name, operand, help string
	run                 func(c *chat, ctx context.Context, operand string) error
}

// commands are in the order of /help.
func commands() []command {
	return []command{
		{"/join", "ROOM", "enter a room, or talk in one that you are in", (*chat).join},
		{"/leave", "[ROOM]", "leave this room, or another", (*chat).leave},
		{"/who", "[ROOM]", "who is in the room", (*chat).who},
		{"/rooms", "", "the rooms that you are in", (*chat).rooms},
		{"/audio", "FILE", "upload a file and send it as audio", (*chat).sendAudio},
		{"/md", "TEXT", "send rich text: markdown", (*chat).sendMarkdown},
		{"/stats", "", "what this session has done", (*chat).stats},
		{"/help", "", "this list", (*chat).help},
		{"/quit", "", "end; so do Ctrl-D and Ctrl-C", nil}, // the reader of lines knows it
	}
}

// line runs one line of the input.
func (c *chat) line(ctx context.Context, line string) {
	line = strings.TrimSuffix(line, "\r")
	if strings.TrimSpace(line) == "" {
		return
	}
	var err error
	switch {
	case strings.HasPrefix(line, "//"):
		err = c.sendText(ctx, line[1:])
	case strings.HasPrefix(line, "/"):
		err = c.command(ctx, line)
	default:
		err = c.sendText(ctx, line)
	}
	if err != nil {
		c.explain(err)
	}
}

func (c *chat) command(ctx context.Context, line string) error {
	name, operand, _ := strings.Cut(line, " ")
	operand = strings.TrimSpace(operand)
	for _, known := range commands() {
		if known.name != name {
			continue
		}
		switch {
		case known.operand == "" && operand != "":
			return fmt.Errorf("%s stands alone: %q is too much", name, operand)
		case known.operand != "" && known.operand[0] != '[' && operand == "":
			return fmt.Errorf("write %s %s", name, known.operand)
		}
		return known.run(c, ctx, operand)
	}
	return fmt.Errorf("unknown command %s: /help lists the commands; //… sends a line that begins with a slash", name)
}

// explain prints why a line did not do what it should.
func (c *chat) explain(err error) {
	if violations := runtime.Violations(err); len(violations) > 0 {
		var text strings.Builder
		for _, violation := range violations {
			text.WriteString("\n" + violation.String())
		}
		c.failure("this breaks the rules and was not sent:%s", text.String())
		return
	}
	if errors.Is(err, session.ErrMaybeDelivered) {
		c.failure("%v; look before you send it again", err)
		return
	}
	c.failure("%v", err)
}

func (c *chat) help(context.Context, string) error {
	var text strings.Builder
	for _, known := range commands() {
		fmt.Fprintf(&text, "\n%-14s %s", strings.TrimSpace(known.name+" "+known.operand), known.help)
	}
	text.WriteString("\n//TEXT         send /TEXT\nanything else  is sent to the room")
	c.notice("commands:%s", text.String())
	return nil
}

func (c *chat) stats(context.Context, string) error {
	s := c.session.Stats()
	rtt := "not known"
	if s.RTT > 0 {
		rtt = s.RTT.String()
	}
	c.notice("%s; %d sent, %d received, %d invalid, %d unknown, %d errors, %d reconnects; round trip %s",
		c.session.State(), s.Sent, s.Received, s.Invalid, s.Unknown, s.Errors, s.Reconnects, rtt)
	return nil
}
