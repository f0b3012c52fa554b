package session

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// disk is what a CursorFile asks of the operating system. Tests have one that fails and crashes.
type disk interface {
	// Open opens a file that exists for reading and writing.
	Open(path string) (diskFile, error)
	// Create makes a new file, which nobody but its owner may read, or those who may read the file like, if that exists.
	Create(path, like string) (diskFile, error)
	// Rename puts a file in the place of another one, at once: whoever looks sees the one or the other.
	Rename(from, to string) error
	// Remove removes a file. One that does not exist is no error.
	Remove(path string) error
	// SyncFolder makes the names in the file's folder survive a crash of the machine.
	SyncFolder(path string) error
}

// diskFile is an open file. Reading starts at its beginning.
type diskFile interface {
	io.Reader
	io.WriterAt
	io.Closer
	// Sync makes the file's content survive a crash of the machine.
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

type osDisk struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Open refuses what is no regular file before it opens it: opening a pipe may wait for ever.
func (osDisk) Open(path string) (diskFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotCursors
	}
	return openFile(path, os.O_RDWR, 0)
}

func (osDisk) Create(path, like string) (diskFile, error) {
	mode := os.FileMode(0o600)
	if info, err := os.Stat(like); err == nil {
		mode = info.Mode().Perm()
	}
	return openFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
}

func openFile(path string, flags int, mode os.FileMode) (diskFile, error) {
	file, err := os.OpenFile(path, flags, mode) //nolint:gosec // the path is the application's own
	if err != nil {
		return nil, err
	}
	return osFile{file}, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) Remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// SyncFolder does nothing where the system has no such thing.
func (osDisk) SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	err = folder.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// realPath is absolute, so that it means the same after the process has changed its folder, and leads past symbolic
// links, so that a rename replaces the file and not the link to it.
func realPath(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(full); err == nil {
		return target, nil
	}
	return full, nil
}
