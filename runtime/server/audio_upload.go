package server

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/rules"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

type uploadStream = grpc.ClientStreamingServer[imv1.UploadAudioRequest, imv1.UploadAudioResponse]

// UploadAudio stores an audio: metadata first, then chunks, never the whole in memory unless the store keeps it there.
func (s *Server) UploadAudio(rpc uploadStream) error {
	s.serve()
	if s.streams.isClosed() {
		return errClosing
	}
	audio, err := s.uploadHead(rpc)
	if err != nil {
		return err
	}
	body := &uploadBody{rpc: rpc, rules: s.rules.audioPiece, announced: audio.Size, limit: s.config.maxAudio}
	var stored Audio
	if panicked := s.guard("audio store", func() { stored, err = s.config.audio.Put(rpc.Context(), audio, body) }); panicked != nil {
		return panicked
	}
	if err != nil {
		return s.uploadFailed(rpc.Context(), body, err)
	}
	s.counts.audios.Add(1)
	return rpc.SendAndClose(&imv1.UploadAudioResponse{Status: responseStatus(nil), AudioId: stored.ID, AudioUrl: stored.URL})
}

// uploadFailed tells the client what it did wrong, and the log what else went wrong.
func (s *Server) uploadFailed(ctx context.Context, body *uploadBody, err error) error {
	if body.err != nil && !errors.Is(body.err, io.EOF) {
		return body.err
	}
	if ctx.Err() != nil {
		return asStatus(ctx.Err(), codes.Canceled)
	}
	return s.hide(err, "the audio could not be stored")
}

// uploadHead reads the first piece.
func (s *Server) uploadHead(rpc uploadStream) (Audio, error) {
	first, err := rpc.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return Audio{}, err
	}
	head := first.GetMetadata()
	if head == nil {
		return Audio{}, refuse(codes.InvalidArgument, "the upload's first piece is not its metadata: send metadata, then chunks")
	}
	if err := s.rules.audio.Check(head); err != nil {
		return Audio{}, err
	}
	user, err := s.mustHaveUser(rpc.Context(), head.GetUserId())
	if err != nil {
		return Audio{}, err
	}
	if head.GetSize() > s.config.maxAudio {
		return Audio{}, audioTooLarge(s.config.maxAudio)
	}
	if err := s.mayUpload(user, head.GetRoomId()); err != nil {
		return Audio{}, err
	}
	return Audio{
		ID: newMessageID(), UserID: user, RoomID: head.GetRoomId(), Format: head.GetFormat(), Size: head.GetSize(),
		Duration: durationOf(head.GetDuration()), Created: time.Now(),
	}, nil
}

// durationOf reads seconds; what no Duration holds is not known.
func durationOf(seconds float64) time.Duration {
	if d := seconds * float64(time.Second); d < math.MaxInt64 {
		return time.Duration(d)
	}
	return 0
}

// mayUpload asks the room, if it is on this server: an upload may be balanced to another one.
func (s *Server) mayUpload(user, roomID string) error {
	r := s.rooms.find(roomID)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.may(user, imv1.MessageType_MESSAGE_TYPE_AUDIO)
}

func audioTooLarge(limit int64) error {
	return refuse(codes.ResourceExhausted, "the audio is too large: this server takes %d bytes", limit)
}

// uploadBody reads the chunks of an upload. It belongs to one goroutine.
type uploadBody struct {
	rpc       uploadStream
	rules     rules.Rules
	announced int64 // 0: nothing was said
	limit     int64
	total     int64
	rest      []byte
	err       error // sticky
}

// Read gives the next bytes, EOF at the end, or what is wrong with the upload.
func (b *uploadBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 && b.err == nil {
		b.next()
	}
	if len(b.rest) == 0 {
		return 0, b.err
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *uploadBody) next() {
	piece, err := b.rpc.Recv()
	if err == nil {
		err = b.rules.Check(piece)
	}
	switch {
	case errors.Is(err, io.EOF) && b.announced > 0 && b.total < b.announced:
		b.err = refuse(codes.InvalidArgument, "the upload ended after %d bytes, its metadata says %d", b.total, b.announced)
	case err != nil:
		b.err = err
	case piece.GetMetadata() != nil:
		b.err = refuse(codes.InvalidArgument, "the upload has metadata twice: send them once, then chunks")
	default:
		b.take(piece.GetChunk())
	}
}

func (b *uploadBody) take(chunk []byte) {
	b.total += int64(len(chunk))
	switch {
	case b.total > b.limit:
		b.err = audioTooLarge(b.limit)
	case b.announced > 0 && b.total > b.announced:
		b.err = refuse(codes.InvalidArgument, "the upload has more bytes than its metadata says, which is %d", b.announced)
	default:
		b.rest = chunk
	}
}
