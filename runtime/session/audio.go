package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// chunkBytes is the size of an upload's pieces.
const chunkBytes = 32 << 10

const opUpload = "upload audio"

// AudioInfo describes an audio before its bytes.
type AudioInfo struct {
	// RoomID is the room that it is for.
	RoomID string
	// Format is opus, wav, mp3, …; may be empty.
	Format string
	// Size is its bytes in all. 0: not known. Otherwise the upload fails if the reader gives more or fewer.
	Size int64
	// Duration is its length. 0: not known.
	Duration time.Duration
}

// UploadOption changes one upload.
type UploadOption interface{ applyUpload(u *upload) }

type uploadOption func(u *upload)

func (o uploadOption) applyUpload(u *upload) { o(u) }

// WithProgress is told how many bytes the connection has taken so far, after each chunk, in the caller's goroutine.
// Default: nothing.
func WithProgress(f func(sent int64)) UploadOption {
	return uploadOption(func(u *upload) { u.progress = f })
}

// upload is one UploadAudio call.
type upload struct {
	call     grpc.ClientStreamingClient[imv1.UploadAudioRequest, imv1.UploadAudioResponse]
	info     AudioInfo
	progress func(sent int64)
	sent     int64
	step     func() (done func()) // bounds what waits for the network
}

// UploadAudio uploads what r gives, in chunks of 32 KiB, and tells the audio's id. It never holds more than one chunk.
// The request timeout bounds each wait for the network, not the upload as a whole and not r. A server that takes no
// more refuses with ResourceExhausted.
func (s *Session) UploadAudio(
	ctx context.Context, r io.Reader, info AudioInfo, opts ...UploadOption,
) (*imv1.UploadAudioResponse, error) {
	if r == nil {
		return nil, invalid(opUpload, info.RoomID, "the reader is nil")
	}
	about := &imv1.AudioMetadata{
		UserId: s.config.user, RoomId: info.RoomID, Format: info.Format,
		Size: info.Size, Duration: info.Duration.Seconds(),
	}
	if err := s.begin(opUpload, info.RoomID, about); err != nil {
		return nil, err
	}
	if err := checkID("the room id", info.RoomID); err != nil {
		return nil, invalid(opUpload, info.RoomID, err.Error())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.onClose(func() { cancel(s.closedError()) })()
	u := &upload{info: info, step: func() func() { return s.stall(cancel) }}
	for _, opt := range opts {
		opt.applyUpload(u)
	}
	response, err := u.run(s.identify(ctx), s.client, r, about)
	if err := s.outcome(ctx, opUpload, info.RoomID, response.GetStatus(), err); err != nil {
		return nil, err
	}
	return response, nil
}

// stall cancels an upload whose next step takes longer than the request timeout.
func (s *Session) stall(cancel context.CancelCauseFunc) func() {
	timeout := s.config.timing.request
	timer := time.AfterFunc(timeout, func() {
		cancel(fmt.Errorf("the server took nothing within the request timeout of %s: %w",
			timeout, context.DeadlineExceeded))
	})
	return func() { timer.Stop() }
}

func (u *upload) run(
	ctx context.Context, client imv1.IMServiceClient, r io.Reader, about *imv1.AudioMetadata,
) (*imv1.UploadAudioResponse, error) {
	done := u.step()
	call, err := client.UploadAudio(ctx)
	done()
	if err != nil {
		return nil, err
	}
	u.call = call
	err = u.send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Metadata{Metadata: about}})
	if err == nil {
		err = u.copy(r)
	}
	if err != nil && !errors.Is(err, errUploadEnded) {
		return nil, err
	}
	defer u.step()()
	return call.CloseAndRecv() // if the server ended it early, this tells why
}

// errUploadEnded says that the server wants no more: its answer tells why.
var errUploadEnded = errors.New("the server ended the upload")

func (u *upload) send(piece *imv1.UploadAudioRequest) error {
	defer u.step()()
	err := u.call.Send(piece)
	if errors.Is(err, io.EOF) {
		return errUploadEnded
	}
	return err
}

func (u *upload) copy(r io.Reader) error {
	buffer := make([]byte, chunkBytes)
	for {
		n, err := fill(r, buffer)
		if n > 0 {
			if err := u.chunk(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return u.complete()
		case err != nil:
			return u.wrong(codes.Aborted, fmt.Sprintf("reading failed after %d bytes", u.sent), err)
		}
	}
}

// fill reads until the buffer is full or the reader fails. Unlike io.ReadFull it leaves the reader's error as it is: one
// that was cut off must not look like one that has ended.
func fill(r io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var read int
		read, err = r.Read(buffer[n:])
		n += read
	}
	return n, err
}

func (u *upload) chunk(bytes []byte) error {
	u.sent += int64(len(bytes))
	if u.info.Size > 0 && u.sent > u.info.Size {
		return u.wrong(codes.InvalidArgument, fmt.Sprintf("the reader gives more than the %d bytes of Size", u.info.Size), nil)
	}
	if err := u.send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: bytes}}); err != nil {
		return err
	}
	if u.progress != nil {
		u.progress(u.sent)
	}
	return nil
}

// complete checks the size that was announced.
func (u *upload) complete() error {
	if u.info.Size > 0 && u.sent < u.info.Size {
		return u.wrong(codes.InvalidArgument, fmt.Sprintf("the reader gave %d bytes, Size says %d", u.sent, u.info.Size), nil)
	}
	return nil
}

func (u *upload) wrong(code codes.Code, message string, err error) error {
	return &runtime.Error{Op: opUpload, RoomID: u.info.RoomID, Code: code, Message: message, Err: err}
}
