package main

import (
	"context"
	"fmt"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

func (c *chat) sendText(ctx context.Context, text string) error {
	if c.room == "" {
		return errNoRoom
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	_, err := c.im.SendText(ctx, c.room, &imv1.TextContent{Text: text})
	return err
}

func (c *chat) sendMarkdown(ctx context.Context, text string) error {
	if c.room == "" {
		return errNoRoom
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	content := &imv1.RichTextContent{ContentType: "markdown", RawContent: text}
	format := runtime.WithMetadata(map[string]string{"format": "markdown"}) // some clients of today look at this one
	_, err := c.im.SendRichText(ctx, c.room, content, format)
	return err
}

// bounded bounds a send: without a connection it would wait as long as its context lets it.
func (c *chat) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.settings.timeout, tookTooLong(c.settings.timeout.String()))
}

// tookTooLong is why a send was given up.
type tookTooLong string

func (d tookTooLong) Error() string {
	return fmt.Sprintf("given up after %s (-timeout)", string(d))
}

func (tookTooLong) Unwrap() error { return context.DeadlineExceeded }
