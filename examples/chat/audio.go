package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// sendAudio uploads a file and tells the room where it is.
func (c *chat) sendAudio(ctx context.Context, path string) error {
	if c.room == "" {
		return errNoRoom
	}
	file, size, err := openAudio(path)
	if err != nil {
		return fmt.Errorf("/audio: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	name := filepath.Base(path)
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	uploaded, err := c.session.UploadAudio(ctx, file,
		session.AudioInfo{RoomID: c.room, Format: format, Size: size}, session.WithProgress(c.progress(name, size)))
	if err != nil {
		return err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	content := &imv1.AudioContent{
		AudioId: uploaded.GetAudioId(), AudioUrl: uploaded.GetAudioUrl(), Format: format, Size: size,
	}
	if _, err = c.im.SendAudio(ctx, c.room, content,
		runtime.WithMetadata(map[string]string{"filename": name})); err != nil {
		return err
	}
	c.notice("%s is sent as audio %s", name, uploaded.GetAudioId())
	return nil
}

// openAudio opens what can be an audio: a file with something in it.
func openAudio(path string) (file *os.File, size int64, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("there is no file %s", path)
	case err != nil:
		return nil, 0, err
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("%s is no file", path)
	case info.Size() == 0:
		return nil, 0, fmt.Errorf("%s is empty", path)
	}
	file, err = os.Open(path) //nolint:gosec // the user chooses the file
	return file, info.Size(), err
}

// progress prints how far an upload is, a line for each quarter.
func (c *chat) progress(name string, size int64) func(sent int64) {
	const quarters = 4
	var told int64
	return func(sent int64) {
		if done := sent * quarters / size; done > told {
			told = done
			c.notice("%s: %d %% of %d bytes", name, done*100/quarters, size)
		}
	}
}
