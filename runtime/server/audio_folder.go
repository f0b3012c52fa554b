package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
)

// FolderAudioStore keeps audios as files: <id>.audio with the bytes and <id>.json with the rest. A file gets its
// name when it is whole. Nothing is ever removed. Only one store may use a folder at a time.
type FolderAudioStore struct {
	root  *os.Root
	limit int64 // 0: none

	mu   sync.Mutex
	used int64
}

var _ AudioStore = (*FolderAudioStore)(nil)

const (
	audioSuffix   = ".audio"
	detailsSuffix = ".json"
	partSuffix    = ".part" // an upload under way
)

// OpenFolderAudioStore makes a store in a folder, which is created if need be. What it holds already counts towards the limit, in
// bytes; 0 means no limit. Uploads that a crash has cut off are removed. Close the store in the end.
func OpenFolderAudioStore(folder string, limit int64) (*FolderAudioStore, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("the audio folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("the audio folder: %w", err)
	}
	store := &FolderAudioStore{root: root, limit: limit}
	if err := store.takeStock(); err != nil {
		return nil, errors.Join(fmt.Errorf("the audio folder: %w", err), root.Close())
	}
	return store, nil
}

// Close gives the folder back. No other method may be running or called after it.
func (f *FolderAudioStore) Close() error { return f.root.Close() }

func (f *FolderAudioStore) takeStock() error {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch path.Ext(entry.Name()) {
		case partSuffix:
			if err := f.root.Remove(entry.Name()); err != nil {
				return err
			}
		case audioSuffix:
			info, err := entry.Info()
			if err != nil {
				return err
			}
			f.used += info.Size()
		}
	}
	return nil
}

// Put stores an audio. It fails with RESOURCE_EXHAUSTED when the store is full.
func (f *FolderAudioStore) Put(_ context.Context, audio Audio, body io.Reader) (Audio, error) {
	if !isAudioID(audio.ID) {
		return Audio{}, fmt.Errorf("audio id %q: letters and digits only", audio.ID)
	}
	counted := &reservingReader{from: body, store: f}
	err := f.write(audio.ID+audioSuffix, counted)
	if err == nil {
		audio.Size = counted.total
		err = f.writeDetails(audio)
	}
	if err != nil {
		f.give(counted.total)
		_ = f.root.Remove(audio.ID + audioSuffix) // the reason to report is err
		return Audio{}, err
	}
	return audio, nil
}

func (f *FolderAudioStore) writeDetails(audio Audio) error {
	details, err := json.Marshal(audio)
	if err != nil {
		return err
	}
	return f.write(audio.ID+detailsSuffix, strings.NewReader(string(details)))
}

// write makes a file that has its name only once it is whole.
func (f *FolderAudioStore) write(name string, from io.Reader) error {
	part := name + partSuffix
	file, err := f.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = f.root.Rename(part, name)
	}
	if err != nil {
		_ = f.root.Remove(part) // the reason to report is err, as it is: its text may be for the client
	}
	return err
}

// Stat tells of an audio.
func (f *FolderAudioStore) Stat(_ context.Context, id string) (Audio, error) {
	if !isAudioID(id) {
		return Audio{}, ErrNoAudio
	}
	details, err := f.root.ReadFile(id + detailsSuffix)
	if err != nil {
		return Audio{}, orNoAudio(err)
	}
	var audio Audio
	if err := json.Unmarshal(details, &audio); err != nil {
		return Audio{}, fmt.Errorf("audio %s: %w", id, err)
	}
	return audio, nil
}

// Open gives an audio's bytes.
func (f *FolderAudioStore) Open(_ context.Context, id string) (io.ReadCloser, error) {
	if !isAudioID(id) {
		return nil, ErrNoAudio
	}
	file, err := f.root.Open(id + audioSuffix)
	if err != nil {
		return nil, orNoAudio(err)
	}
	return file, nil
}

func orNoAudio(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoAudio
	}
	return err
}

// isAudioID keeps everything out of file names that is not letters and digits.
func isAudioID(id string) bool {
	if id == "" || len(id) > maxIDBytes {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func (f *FolderAudioStore) reserve(n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.limit > 0 && f.used+n > f.limit {
		return false
	}
	f.used += n
	return true
}

func (f *FolderAudioStore) give(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used -= n
}

// reservingReader takes bytes of the store's limit as they arrive.
type reservingReader struct {
	from  io.Reader
	store *FolderAudioStore
	total int64
}

func (r *reservingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if n > 0 && !r.store.reserve(int64(n)) {
		return 0, storeFull(r.store.limit)
	}
	r.total += int64(n)
	return n, err
}
