package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// upload sends metadata and chunks and gives the answer.
func (s *site) upload(head *imv1.AudioMetadata, chunks ...string) (*imv1.UploadAudioResponse, error) {
	s.t.Helper()
	rpc, err := s.stub().UploadAudio(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if head != nil {
		_ = rpc.Send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Metadata{Metadata: head}})
	}
	for _, chunk := range chunks { // an error here is told by CloseAndRecv
		_ = rpc.Send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: []byte(chunk)}})
	}
	return rpc.CloseAndRecv()
}

func TestAnUploadedAudioIsInTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := server.NewMemoryAudioStore(100)
		s := start(t, server.WithAudioStore(store))
		response, err := s.upload(&imv1.AudioMetadata{UserId: "anna", RoomId: "r", Format: "wav", Size: 6, Duration: 1.5}, "abc", "", "def")
		if err != nil || response.GetStatus().GetCode() != 0 {
			t.Fatalf("got %v, %v", response, err)
		}
		got, err := store.Stat(t.Context(), response.GetAudioId())
		want := server.Audio{
			ID: response.GetAudioId(), UserID: "anna", RoomID: "r", Format: "wav", Size: 6,
			Duration: 1500 * time.Millisecond, Created: time.Now(),
		}
		if err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		if data := readAll(t, store, response.GetAudioId()); data != "abcdef" {
			t.Errorf("got %q", data)
		}
		if s.server.Stats().Audios != 1 {
			t.Errorf("stats: %+v", s.server.Stats())
		}
	})
}

func TestAnUploadThatIsWrongIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	chunk := strings.Repeat("x", 10)
	anna := func(size int64) *imv1.AudioMetadata { return &imv1.AudioMetadata{UserId: "anna", Size: size} }
	for name, test := range map[string]struct {
		head   *imv1.AudioMetadata
		chunks []string
		code   codes.Code
		words  string
	}{
		"nothing at all":              {nil, nil, codes.InvalidArgument, "first piece is not its metadata"},
		"no metadata":                 {nil, []string{chunk}, codes.InvalidArgument, "first piece is not its metadata"},
		"a size below 0":              {anna(-1), nil, codes.InvalidArgument, "size: "},
		"no user":                     {&imv1.AudioMetadata{}, nil, codes.InvalidArgument, "which user"},
		"less than announced":         {anna(11), []string{chunk}, codes.InvalidArgument, "after 10 bytes, its metadata says 11"},
		"more than announced":         {anna(9), []string{chunk}, codes.InvalidArgument, "more bytes than its metadata says, which is 9"},
		"announced above the limit":   {anna(21), nil, codes.ResourceExhausted, "takes 20 bytes"},
		"above the limit":             {anna(0), []string{chunk, chunk + "x"}, codes.ResourceExhausted, "takes 20 bytes"},
		"above the store's limit":     {anna(0), []string{chunk, chunk[:9]}, codes.ResourceExhausted, "limit is 18 bytes"},
		"a room that allows no audio": {&imv1.AudioMetadata{UserId: "anna", RoomId: "quiet"}, nil, codes.PermissionDenied, "audio"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, server.WithAudioStore(server.NewMemoryAudioStore(18)), server.WithMaxAudioBytes(20),
					policy(&imv1.RoomConfig{}))
				s.today("ben", "quiet")
				_, err := s.upload(test.head, test.chunks...)
				wantStatus(t, err, test.code, test.words)
				if _, err := s.upload(anna(18), chunk, "12345678"); err != nil {
					t.Errorf("the store is not empty: %v", err)
				}
			})
		})
	}
}

func TestAnUploadWithMetadataTwiceIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rpc, err := start(t).stub().UploadAudio(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_ = rpc.Send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Metadata{
				Metadata: &imv1.AudioMetadata{UserId: "anna"},
			}})
		}
		_, err = rpc.CloseAndRecv()
		wantStatus(t, err, codes.InvalidArgument, "metadata twice")
	})
}

// failingStore fails with one error.
type failingStore struct {
	server.AudioStore
	err error
}

func (f failingStore) Put(context.Context, server.Audio, io.Reader) (server.Audio, error) {
	if f.err == nil {
		return server.Audio{}, crash(nil)
	}
	return server.Audio{}, f.err
}

func (f failingStore) Stat(context.Context, string) (server.Audio, error) {
	return server.Audio{}, f.err
}

func TestWhatAStoreSaysToItselfIsNotToldToClients(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err   error
		code  codes.Code
		words string
	}{
		"for clients": {status.Error(codes.Unavailable, "come back later"), codes.Unavailable, "come back later"},
		"for clients, inside another": {
			fmt.Errorf("/secret: %w", status.Error(codes.Unavailable, "come back later")), codes.Unavailable, "come back later",
		},
		"not for clients": {errors.New("disk /secret is full"), codes.Internal, "the audio could not be"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, server.WithAudioStore(failingStore{err: test.err}))
				_, err := s.upload(&imv1.AudioMetadata{UserId: "anna"}, "x")
				wantStatus(t, err, test.code, test.words)
				_, err = s.stub().GetAudioTranscript(t.Context(), &imv1.TranscriptRequest{AudioId: "a"})
				wantStatus(t, err, test.code, test.words)
				if text := status.Convert(err).Message(); strings.Contains(text, "secret") || strings.Contains(text, "rpc error") {
					t.Errorf("it tells %v", err)
				}
			})
		})
	}
	t.Run("a panic", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := start(t, server.WithAudioStore(failingStore{}))
			_, err := s.upload(&imv1.AudioMetadata{UserId: "anna"}, "x")
			wantStatus(t, err, codes.Internal, "audio store failed")
		})
	})
}

func readAll(t *testing.T, store server.AudioStore, id string) string {
	t.Helper()
	body, err := store.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestAudioStores is what every store has to do.
func TestAudioStores(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T, limit int64) server.AudioStore{
		"memory": func(_ *testing.T, limit int64) server.AudioStore { return server.NewMemoryAudioStore(limit) },
		"folder": func(t *testing.T, limit int64) server.AudioStore {
			t.Helper()
			return openFolder(t, t.TempDir(), limit)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testAudioStore(t, func(limit int64) server.AudioStore { return open(t, limit) })
		})
	}
}

func testAudioStore(t *testing.T, open func(limit int64) server.AudioStore) {
	t.Helper()
	t.Run("keeps what it was given", func(t *testing.T) {
		t.Parallel()
		store := open(1 << 20)
		data := strings.Repeat("0123456789", 10_000)
		audio := server.Audio{
			ID: "A1", UserID: "anna", RoomID: "r", Format: "wav", Size: 7, Duration: time.Second, Created: time.Unix(5, 0).UTC(),
		}
		stored, err := store.Put(t.Context(), audio, strings.NewReader(data))
		audio.Size = int64(len(data))
		if err != nil || stored != audio {
			t.Fatalf("stored %+v, %v", stored, err)
		}
		if got, err := store.Stat(t.Context(), "A1"); err != nil || got != audio {
			t.Errorf("got %+v, %v", got, err)
		}
		if readAll(t, store, "A1") != data {
			t.Error("the bytes are others")
		}
	})
	t.Run("knows no other ids", func(t *testing.T) {
		t.Parallel()
		store := open(1 << 20)
		for _, id := range []string{"", "nothing", "../secret", "a/b", "a.json", "A1.audio", "\x00", strings.Repeat("x", 5000)} {
			if _, err := store.Stat(t.Context(), id); !errors.Is(err, server.ErrNoAudio) {
				t.Errorf("stat %q: %v", id, err)
			}
			if _, err := store.Open(t.Context(), id); !errors.Is(err, server.ErrNoAudio) {
				t.Errorf("open %q: %v", id, err)
			}
		}
	})
	t.Run("is full at its limit", func(t *testing.T) {
		t.Parallel()
		store := open(10)
		_, err := store.Put(t.Context(), server.Audio{ID: "A1"}, strings.NewReader("12345678901"))
		wantStatus(t, err, codes.ResourceExhausted)
		if text := status.Convert(err).Message(); text != "the audio store is full: its limit is 10 bytes in all" {
			t.Errorf("it says %q", text)
		}
		if _, err := store.Stat(t.Context(), "A1"); !errors.Is(err, server.ErrNoAudio) {
			t.Errorf("it is there: %v", err)
		}
		if _, err := store.Put(t.Context(), server.Audio{ID: "A2"}, strings.NewReader("1234567890")); err != nil {
			t.Error(err)
		}
		_, err = store.Put(t.Context(), server.Audio{ID: "A3"}, strings.NewReader("1"))
		wantStatus(t, err, codes.ResourceExhausted, "full")
	})
	t.Run("forgets what broke off", func(t *testing.T) {
		t.Parallel()
		store := open(10)
		broken := errors.New("broken off")
		body := io.MultiReader(strings.NewReader("12345"), &failingReader{broken})
		if _, err := store.Put(t.Context(), server.Audio{ID: "A1"}, body); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if _, err := store.Open(t.Context(), "A1"); !errors.Is(err, server.ErrNoAudio) {
			t.Errorf("it is there: %v", err)
		}
		if _, err := store.Put(t.Context(), server.Audio{ID: "A2"}, strings.NewReader("1234567890")); err != nil {
			t.Errorf("its bytes still count: %v", err)
		}
	})
}

type failingReader struct{ err error }

func (f *failingReader) Read([]byte) (int, error) { return 0, f.err }

func openFolder(t *testing.T, folder string, limit int64) *server.FolderAudioStore {
	t.Helper()
	store, err := server.OpenFolderAudioStore(folder, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestAFolderIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "made", "when", "missing")
	first := openFolder(t, folder, 10)
	if _, err := first.Put(t.Context(), server.Audio{ID: "A1"}, strings.NewReader("12345678")); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	cutOff := filepath.Join(folder, "A2.audio.part")
	if err := os.WriteFile(cutOff, []byte("1234"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := openFolder(t, folder, 10)
	if readAll(t, second, "A1") != "12345678" {
		t.Error("the bytes are others")
	}
	if _, err := os.Stat(cutOff); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was cut off is there: %v", err)
	}
	_, err := second.Put(t.Context(), server.Audio{ID: "A3"}, bytes.NewReader([]byte("123")))
	wantStatus(t, err, codes.ResourceExhausted, "full")
}

func TestAFolderThatCannotBeUsedSaysSo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := server.OpenFolderAudioStore(file, 0)
	if err == nil {
		t.Fatal("it was opened")
	}
	wantWords(t, err.Error(), "the audio folder", file)
}

func TestAFolderTakesNoIDThatIsAPath(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := openFolder(t, filepath.Join(folder, "audios"), 0)
	if _, err := store.Put(t.Context(), server.Audio{ID: "../outside"}, strings.NewReader("x")); err == nil {
		t.Error("it was stored")
	}
	if _, err := os.Stat(filepath.Join(folder, "outside.audio")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithAudioStore(server.NewMemoryAudioStore(10)))
		ctx, cancel := context.WithCancel(t.Context())
		rpc, err := s.stub().UploadAudio(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_ = rpc.Send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Metadata{
			Metadata: &imv1.AudioMetadata{UserId: "anna", Duration: math.Inf(1)},
		}})
		_ = rpc.Send(&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: []byte("12345")}})
		synctest.Wait()
		cancel()
		synctest.Wait()
		if _, err := s.upload(&imv1.AudioMetadata{UserId: "anna"}, "1234567890"); err != nil {
			t.Errorf("its bytes still count: %v", err)
		}
	})
}

func TestALengthThatNoDurationHoldsIsNotKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := server.NewMemoryAudioStore(10)
		s := start(t, server.WithAudioStore(store))
		for _, seconds := range []float64{math.Inf(1), math.NaN(), 1e300} {
			uploaded, err := s.upload(&imv1.AudioMetadata{UserId: "anna", Duration: seconds}, "x")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := store.Stat(t.Context(), uploaded.GetAudioId()); err != nil || got.Duration != 0 {
				t.Errorf("%v: got %v, %v", seconds, got.Duration, err)
			}
		}
	})
}
