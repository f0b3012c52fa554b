package server

import (
	"context"
	"errors"
	"io"
	"time"
)

// Audio describes an uploaded audio.
type Audio struct {
	// ID is the server's id for it: letters and digits.
	ID string `json:"id"`
	// UserID uploaded it.
	UserID string `json:"user_id"`
	// RoomID is the room that it is for; may be empty.
	RoomID string `json:"room_id,omitempty"`
	// Format is what the uploader said: opus, wav, …; may be empty.
	Format string `json:"format,omitempty"`
	// Size is its bytes. Put's argument has what the uploader said, 0 if nothing.
	Size int64 `json:"size"`
	// Duration is its length as the uploader said; 0 if not known.
	Duration time.Duration `json:"duration,omitempty"`
	// Created is when the upload began.
	Created time.Time `json:"created"`
	// URL is where it can be fetched; empty if nowhere.
	URL string `json:"url,omitempty"`
}

// AudioStore keeps uploaded audios. Its methods are called concurrently. Errors with a gRPC code go to the client.
type AudioStore interface {
	// Put stores what body gives, until EOF, under audio.ID, and returns what it stored: Size is the true one, and URL may be
	// set. If body fails, nothing is stored and Put returns body's error, wrapped or not.
	Put(ctx context.Context, audio Audio, body io.Reader) (Audio, error)
	// Stat tells of an audio; ErrNoAudio if there is none with that id, which may be any string.
	Stat(ctx context.Context, id string) (Audio, error)
	// Open gives an audio's bytes; the caller closes them. ErrNoAudio if there is none with that id.
	Open(ctx context.Context, id string) (io.ReadCloser, error)
}

// ErrNoAudio is what a store says of an id that it does not have.
var ErrNoAudio = errors.New("there is no such audio")

// Transcriber tells what is said in an audio. It is called for each GetAudioTranscript of an audio that exists, and
// concurrently; it may answer PENDING or PROCESSING and be asked again. Errors with a gRPC code go to the client.
type Transcriber interface {
	Transcript(ctx context.Context, audio Audio) (Transcript, error)
}
