package session_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

type uploadCall = grpc.ClientStreamingServer[imv1.UploadAudioRequest, imv1.UploadAudioResponse]

// taking is a server that keeps what it is given.
type taking struct {
	mu     sync.Mutex
	about  *imv1.AudioMetadata
	bytes  []byte
	chunks []int
}

func (k *taking) upload(c uploadCall) error {
	for {
		piece, err := c.Recv()
		if errors.Is(err, io.EOF) {
			return c.SendAndClose(&imv1.UploadAudioResponse{AudioId: "a1", AudioUrl: "mem:a1"})
		}
		if err != nil {
			return err
		}
		k.mu.Lock()
		if about := piece.GetMetadata(); about != nil {
			k.about = about
		} else {
			k.bytes = append(k.bytes, piece.GetChunk()...)
			k.chunks = append(k.chunks, len(piece.GetChunk()))
		}
		k.mu.Unlock()
	}
}

func TestAnUploadTravelsInChunks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size   int64
		reader func(io.Reader) io.Reader
	}{
		"of a known size":                 {200_000, func(r io.Reader) io.Reader { return r }},
		"of an unknown size":              {0, func(r io.Reader) io.Reader { return r }},
		"from a reader of single bytes":   {0, iotest.OneByteReader},
		"from a reader that ends at once": {0, iotest.DataErrReader},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := new(taking)
				s := start(t, &script{upload: server.upload}).connected(t)
				audio := bytes.Repeat([]byte("audio "), 200_000/6+1)[:200_000]
				var progress []int64
				response, err := s.UploadAudio(t.Context(), test.reader(bytes.NewReader(audio)), session.AudioInfo{
					RoomID: "r", Format: "wav", Size: test.size, Duration: 1500 * time.Millisecond,
				}, session.WithProgress(func(sent int64) { progress = append(progress, sent) }))
				if err != nil || response.GetAudioId() != "a1" || response.GetAudioUrl() != "mem:a1" {
					t.Fatalf("%v, %v", response, err)
				}
				about := server.about
				if about.GetUserId() != "u" || about.GetRoomId() != "r" || about.GetFormat() != "wav" ||
					about.GetSize() != test.size || about.GetDuration() != 1.5 {
					t.Errorf("metadata: %v", about)
				}
				if !bytes.Equal(server.bytes, audio) {
					t.Errorf("%d bytes arrived, or others", len(server.bytes))
				}
				if want := []int{32768, 32768, 32768, 32768, 32768, 32768, 3392}; !slices.Equal(server.chunks, want) {
					t.Errorf("chunks: %v", server.chunks)
				}
				if len(progress) != 7 || progress[0] != 32768 || progress[6] != 200_000 {
					t.Errorf("progress: %v", progress)
				}
			})
		})
	}
}

func TestWhatIsWrongWithAnUploadIsSaid(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 129)
	room := session.AudioInfo{RoomID: "r"}
	for name, test := range map[string]struct {
		reader io.Reader
		info   session.AudioInfo
		code   codes.Code
		want   string
	}{
		"no reader":        {nil, room, codes.InvalidArgument, "the reader is nil"},
		"no room":          {strings.NewReader("x"), session.AudioInfo{}, codes.InvalidArgument, "the room id is empty"},
		"a long room":      {strings.NewReader("x"), session.AudioInfo{RoomID: long}, codes.InvalidArgument, "room_id: value length must be"},
		"a negative size":  {strings.NewReader("x"), session.AudioInfo{RoomID: "r", Size: -1}, codes.InvalidArgument, "size: value must be greater"},
		"a negative time":  {strings.NewReader("x"), session.AudioInfo{RoomID: "r", Duration: -1}, codes.InvalidArgument, "duration: value must be greater"},
		"more than Size":   {strings.NewReader("xyz"), session.AudioInfo{RoomID: "r", Size: 2}, codes.InvalidArgument, "gives more than the 2 bytes of Size"},
		"fewer than Size":  {strings.NewReader("x"), session.AudioInfo{RoomID: "r", Size: 2}, codes.InvalidArgument, "gave 1 bytes, Size says 2"},
		"a reader cut off": {io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), room, codes.Aborted, "reading failed after 1 bytes: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := new(taking)
				completed := false
				s := start(t, &script{upload: func(c uploadCall) error {
					err := server.upload(c)
					completed = err == nil
					return err
				}}).connected(t)
				_, err := s.UploadAudio(t.Context(), test.reader, test.info)
				if err == nil || status.Code(err) != test.code || !strings.Contains(err.Error(), test.want) ||
					!strings.HasPrefix(err.Error(), "upload audio") {
					t.Errorf("%v\n  does not say %q", err, test.want)
				}
				synctest.Wait()
				if completed {
					t.Error("the server takes it for a whole audio")
				}
			})
		})
	}
}

func TestTheServersLimitForAudioIsAClearError(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(uploadCall) error{
		"by the call's status": func(uploadCall) error {
			return status.Error(codes.ResourceExhausted, "the audio has more than 65536 bytes")
		},
		"by the answer's status": func(c uploadCall) error {
			return c.SendAndClose(&imv1.UploadAudioResponse{Status: &imv1.ResponseStatus{
				Code: int32(codes.ResourceExhausted), Message: "the audio has more than 65536 bytes",
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, &script{upload: func(c uploadCall) error {
					for range 3 {
						if _, err := c.Recv(); err != nil {
							return err
						}
					}
					return refuse(c)
				}}).connected(t)
				_, err := s.UploadAudio(t.Context(), io.LimitReader(zeros{}, 64<<20), session.AudioInfo{RoomID: "r"})
				if status.Code(err) != codes.ResourceExhausted ||
					err.Error() != `upload audio (room "r"): ResourceExhausted: the audio has more than 65536 bytes` {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// slow gives a byte a minute.
type slow struct{ bytes int }

func (r *slow) Read(p []byte) (int, error) {
	time.Sleep(time.Minute)
	if r.bytes--; r.bytes < 0 {
		return 0, io.EOF
	}
	p[0] = 'x'
	return 1, nil
}

func TestTheRequestTimeoutBoundsEachStepOfAnUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := new(taking)
		srv := &script{upload: server.upload}
		n := start(t, srv)
		s := n.connected(t)
		if _, err := s.UploadAudio(t.Context(), &slow{bytes: 5}, session.AudioInfo{RoomID: "r"}); err != nil {
			t.Errorf("a reader that takes longer than the timeout: %v", err)
		}
		srv.upload = func(c uploadCall) error { <-c.Context().Done(); return nil }
		began := time.Now()
		_, err := s.UploadAudio(t.Context(), zeros{}, session.AudioInfo{RoomID: "r"})
		if took := time.Since(began); took != 30*time.Second || !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "the server took nothing within the request timeout of 30s") {
			t.Errorf("after %s: %v", took, err)
		}
		failed := make(chan error)
		go func() {
			_, err := s.UploadAudio(t.Context(), zeros{}, session.AudioInfo{RoomID: "r"})
			failed <- err
		}()
		synctest.Wait()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}
