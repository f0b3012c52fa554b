package session_test

import (
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// fakeDisk is a disk in memory that fails and crashes when a test wants it. It knows what a process sees of it and what
// would be left after a crash of the machine: only what was synced is sure to be.
type fakeDisk struct {
	mu    sync.Mutex
	names map[string]*fakeFile // what a process sees
	kept  map[string]*fakeFile // what is left of it at least
	moved []func(names map[string]*fakeFile)
	steps []string // what was asked, in order

	// fail is asked before each step that may fail; nil: none does. Of a write that fails, part is written.
	fail func(step string) error
	// pick gives a number below n: how much of what was not synced is left.
	pick func(n int) int
}

func newFakeDisk() *fakeDisk {
	return &fakeDisk{
		names: make(map[string]*fakeFile), kept: make(map[string]*fakeFile), pick: func(int) int { return 0 },
	}
}

// with puts a file on the disk.
func (d *fakeDisk) with(path string, content []byte) *fakeDisk {
	f := &fakeFile{disk: d, seen: slices.Clone(content), kept: slices.Clone(content)}
	d.names[path], d.kept[path] = f, f
	return d
}

// content is what a process reads in a file; nil: there is none.
func (d *fakeDisk) content(path string) []byte {
	if f, ok := d.names[path]; ok {
		return f.seen
	}
	return nil
}

// step is asked for with the lock held.
func (d *fakeDisk) step(name string) error {
	d.steps = append(d.steps, name)
	if d.fail == nil {
		return nil
	}
	return d.fail(name)
}

func (d *fakeDisk) move(change func(names map[string]*fakeFile)) {
	change(d.names)
	d.moved = append(d.moved, change)
}

func (d *fakeDisk) Open(path string) (session.DiskFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("open"); err != nil {
		return nil, err
	}
	f, ok := d.names[path]
	if !ok {
		return nil, os.ErrNotExist
	}
	return &fakeHandle{fakeFile: f}, nil
}

func (d *fakeDisk) Create(path, _ string) (session.DiskFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("create"); err != nil {
		return nil, err
	}
	if _, ok := d.names[path]; ok {
		return nil, os.ErrExist
	}
	f := &fakeFile{disk: d}
	d.move(func(names map[string]*fakeFile) { names[path] = f })
	return &fakeHandle{fakeFile: f}, nil
}

func (d *fakeDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("rename"); err != nil {
		return err
	}
	d.move(func(names map[string]*fakeFile) {
		names[to] = names[from]
		delete(names, from)
	})
	return nil
}

func (d *fakeDisk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("remove"); err != nil {
		return err
	}
	d.move(func(names map[string]*fakeFile) { delete(names, path) })
	return nil
}

func (d *fakeDisk) SyncFolder(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("sync folder"); err != nil {
		return err
	}
	d.kept, d.moved = maps.Clone(d.names), nil
	return nil
}

// crash is one of the machine. Names change in the order in which they were changed, up to some point. Of a file's
// writes some are left, the last of them in part.
func (d *fakeDisk) crash() {
	for _, change := range d.moved[:d.pick(len(d.moved)+1)] {
		change(d.kept)
	}
	for _, f := range d.kept {
		for _, change := range f.changes[:d.pick(len(f.changes)+1)] {
			f.kept = change(f.kept, d.pick)
		}
		f.seen, f.changes = slices.Clone(f.kept), nil
	}
	d.names, d.moved = maps.Clone(d.kept), nil
}

// fakeFile is a file, under whatever name.
type fakeFile struct {
	disk    *fakeDisk
	seen    []byte
	kept    []byte
	changes []func(content []byte, pick func(int) int) []byte
}

type fakeHandle struct {
	*fakeFile

	read int
}

func (f *fakeHandle) Read(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("read"); err != nil {
		return 0, err
	}
	if f.read >= len(f.seen) {
		return 0, io.EOF
	}
	n := copy(p, f.seen[f.read:])
	f.read += n
	return n, nil
}

func (f *fakeHandle) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("size"); err != nil {
		return 0, err
	}
	return int64(len(f.seen)), nil
}

func (f *fakeHandle) WriteAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("write"); err != nil {
		n := f.disk.pick(len(p) + 1)
		f.put(p[:n], int(at))
		return n, err
	}
	f.put(p, int(at))
	return len(p), nil
}

func (f *fakeHandle) put(p []byte, at int) {
	p = slices.Clone(p)
	f.seen = place(f.seen, p, at)
	f.changes = append(f.changes, func(content []byte, pick func(int) int) []byte {
		torn := slices.Clone(p[:pick(len(p)+1)])
		if pick(2) == 0 { // the size is there, and zeros
			torn = append(torn, make([]byte, len(p)-len(torn))...)
		}
		if pick(2) == 0 {
			torn = p
		}
		return place(content, torn, at)
	})
}

// place writes p over content, which is extended with zeros if need be.
func place(content, p []byte, at int) []byte {
	content = slices.Clone(content)
	if missing := at + len(p) - len(content); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	copy(content[at:], p)
	return content
}

func (f *fakeHandle) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step("truncate"); err != nil {
		return err
	}
	f.seen = slices.Clone(f.seen[:size])
	f.changes = append(f.changes, func(content []byte, _ func(int) int) []byte {
		return place(content, nil, int(size))[:size]
	})
	return nil
}

// Sync that fails has written some of it, and is the last that is heard of the rest: so it is in Linux, for one.
func (f *fakeHandle) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.disk.step("sync")
	if errors.Is(err, errCrash) {
		return err
	}
	left, pick := len(f.changes), func(n int) int { return n - 1 } // all of it
	if err != nil {
		left, pick = f.disk.pick(left+1), f.disk.pick
	}
	for _, change := range f.changes[:left] {
		f.kept = change(f.kept, pick)
	}
	f.changes = nil
	return err
}

func (f *fakeHandle) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.steps = append(f.disk.steps, "close")
	return nil
}

// errDisk: the disk fails a step. errCrash: the process is no more, so the step is not made.
var (
	errDisk  = errors.New("the disk fails")
	errCrash = errors.New("the process has crashed")
)
