package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

var errNoRoom = errors.New("you are in no room: /join ROOM enters one")

// join enters a room, and makes it the one to talk in.
func (c *chat) join(ctx context.Context, room string) error {
	if c.isIn(room) {
		c.room = room
		c.notice("you talk in %s now", room)
		return nil
	}
	var opts []session.JoinOption
	if c.settings.nickname != "" {
		opts = append(opts, session.WithNickname(c.settings.nickname))
	}
	answer, err := c.session.JoinRoom(ctx, room, opts...)
	if err != nil {
		return err
	}
	c.room = room
	if users := answer.GetOnlineUsers(); len(users) > 0 {
		c.notice("you are in %s with %s", room, strings.Join(slices.Sorted(slices.Values(users)), ", "))
	} else {
		c.notice("you are in %s", room)
	}
	return nil
}

// leave leaves a room; if it was the one to talk in, the first of the others becomes that.
func (c *chat) leave(ctx context.Context, room string) error {
	room, err := c.orCurrent(room)
	if err != nil {
		return err
	}
	if !c.isIn(room) {
		return fmt.Errorf("you are not in %s: /rooms lists where you are", room)
	}
	if _, err := c.session.LeaveRoom(ctx, room); err != nil {
		return err
	}
	c.notice("you have left %s", room)
	if room != c.room {
		return nil
	}
	c.room = ""
	if others := c.session.Rooms(); len(others) > 0 {
		c.room = others[0]
		c.notice("you talk in %s now", c.room)
	}
	return nil
}

func (c *chat) who(ctx context.Context, room string) error {
	room, err := c.orCurrent(room)
	if err != nil {
		return err
	}
	info, err := c.session.GetRoomInfo(ctx, room)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, user := range info.GetUsers() {
		text.WriteString("\n" + describe(user))
	}
	c.notice("%d in %s:%s", len(info.GetUsers()), room, text.String())
	return nil
}

// describe tells of a user what the id does not.
func describe(user *imv1.RoomUser) string {
	text := user.GetUserId()
	if nickname := user.GetNickname(); nickname != "" && nickname != text {
		text += " (" + nickname + ")"
	}
	switch role := user.GetRole(); role {
	case imv1.UserRole_USER_ROLE_MODERATOR, imv1.UserRole_USER_ROLE_ADMIN:
		text += ", " + strings.ToLower(strings.TrimPrefix(role.String(), "USER_ROLE_"))
	default:
	}
	if user.GetMuted() {
		text += ", muted"
	}
	return text
}

func (c *chat) rooms(context.Context, string) error {
	joined := c.session.Rooms()
	if len(joined) == 0 {
		return errNoRoom
	}
	var text strings.Builder
	for _, room := range joined {
		text.WriteString("\n" + room)
		if room == c.room {
			text.WriteString(" ← you talk here")
		}
	}
	c.notice("you are in:%s", text.String())
	return nil
}

func (c *chat) isIn(room string) bool { return slices.Contains(c.session.Rooms(), room) }

// orCurrent is the room that a command names, or the one to talk in.
func (c *chat) orCurrent(room string) (string, error) {
	if room == "" {
		room = c.room
	}
	if room == "" {
		return "", errNoRoom
	}
	return room, nil
}
