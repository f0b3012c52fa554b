package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/server"
)

const audioLimit = 16 << 20 // bytes of all audios together

// audioHost keeps uploaded audios in memory and serves them over HTTP, so that readers can fetch what a message refers
// to. It outlives a restart of the IM server, as a file store would.
type audioHost struct {
	*server.MemoryAudioStore

	http *http.Server
	url  string
}

func startAudioHost(ctx context.Context) (*audioHost, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &audioHost{
		MemoryAudioStore: server.NewMemoryAudioStore(audioLimit),
		url:              fmt.Sprintf("http://%s/audio/", listener.Addr()),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /audio/{id}", a.serve)
	a.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go a.http.Serve(listener) //nolint:errcheck // it ends with stop
	return a, nil
}

func (a *audioHost) stop() { _ = a.http.Close() }

// Put stores an audio and says where it can be fetched.
func (a *audioHost) Put(ctx context.Context, audio server.Audio, body io.Reader) (server.Audio, error) {
	stored, err := a.MemoryAudioStore.Put(ctx, audio, body)
	stored.URL = a.url + stored.ID
	return stored, err
}

func (a *audioHost) serve(w http.ResponseWriter, r *http.Request) {
	audio, err := a.Open(r.Context(), r.PathValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer func() { _ = audio.Close() }()
	_, _ = io.Copy(w, audio) // a reader that went away is no error of the server's
}

// fetchHash fetches an audio and gives the hash of its bytes.
func fetchHash(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", url, response.Status)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, response.Body); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
