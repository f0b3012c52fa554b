package server

import (
	"bytes"
	"context"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
)

// MemoryAudioStore keeps audios in memory, up to a number of bytes in all. Nothing is ever removed.
type MemoryAudioStore struct {
	limit int64

	mu     sync.Mutex
	used   int64
	audios map[string]storedAudio
}

type storedAudio struct {
	Audio
	data []byte
}

var _ AudioStore = (*MemoryAudioStore)(nil)

// NewMemoryAudioStore makes a store that takes so many bytes.
func NewMemoryAudioStore(limit int64) *MemoryAudioStore {
	return &MemoryAudioStore{limit: limit, audios: make(map[string]storedAudio)}
}

// Put stores an audio. It fails with RESOURCE_EXHAUSTED when the store is full.
func (m *MemoryAudioStore) Put(_ context.Context, audio Audio, body io.Reader) (Audio, error) {
	var data []byte
	piece := make([]byte, 32<<10)
	for {
		n, err := body.Read(piece)
		if n > 0 && !m.reserve(int64(n)) {
			m.give(int64(len(data)))
			return Audio{}, storeFull(m.limit)
		}
		data = append(data, piece[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			m.give(int64(len(data)))
			return Audio{}, err
		}
	}
	audio.Size = int64(len(data))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audios[audio.ID] = storedAudio{audio, data}
	return audio, nil
}

// Stat tells of an audio.
func (m *MemoryAudioStore) Stat(_ context.Context, id string) (Audio, error) {
	found, err := m.find(id)
	return found.Audio, err
}

// Open gives an audio's bytes.
func (m *MemoryAudioStore) Open(_ context.Context, id string) (io.ReadCloser, error) {
	found, err := m.find(id)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(found.data)), nil
}

func (m *MemoryAudioStore) find(id string) (storedAudio, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.audios[id]
	if !ok {
		return storedAudio{}, ErrNoAudio
	}
	return found, nil
}

// reserve takes bytes of the limit as they arrive, so that unfinished uploads count.
func (m *MemoryAudioStore) reserve(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+n > m.limit {
		return false
	}
	m.used += n
	return true
}

func (m *MemoryAudioStore) give(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= n
}

func storeFull(limit int64) error {
	return refuse(codes.ResourceExhausted, "the audio store is full: its limit is %d bytes in all", limit)
}
