package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// When a file is written anew: it is larger than both, and most of it is out of date.
const (
	compactBytes = 64 << 10
	compactTimes = 4 // of what is live
)

// CursorFile is a [CursorStore] in one file, to which it only ever adds. A crash of the process or of the machine, at any
// byte, costs at most what no Save or Delete has returned nil for. It may be used from several goroutines.
//
// A file belongs to one session at a time, and to one user for ever: the cursors of another one would let messages go
// by. Of two stores that write to one file, in one process or in two, the one that comes second fails.
//
// Each Save and Delete waits until the disk has it. What a crash has left at the file's end, and whatever follows a record
// that has gone bad, is ignored and cut off before the next write. That is safe: those cursors go back to what they were
// before, and some messages come again. A file that has grown past 64 KiB and four times of what is still of use is
// written anew, beside the old one under its name with ".imsdk-new" at the end, and put in its place.
//
// The contexts are not looked at: what a file is being told cannot be called back.
type CursorFile struct {
	disk disk
	path string

	mu        sync.Mutex  // held while the file is read or written
	file      diskFile    // nil: to be opened again
	state     cursorState // what is known to be in the file
	torn      bool        // there may be something behind state.end
	loose     bool        // after a crash the file, or its name, may be what it was before
	compactAt int64       // the size below which the file is not written anew
	closed    bool
}

// OpenCursorFile opens a file of cursors, or makes one, readable by its owner only. Its folder must exist. A file that is
// something else is refused and left as it is. Close the store when the session is closed.
func OpenCursorFile(path string) (*CursorFile, error) {
	full, err := realPath(path)
	if err != nil {
		return nil, openError(path, err)
	}
	return openCursorFile(osDisk{}, full)
}

func openCursorFile(disk disk, path string) (*CursorFile, error) {
	f := &CursorFile{disk: disk, path: path, compactAt: compactBytes}
	if err := f.open(); err != nil {
		f.closeFile()
		return nil, openError(path, err)
	}
	return f, nil
}

// open reads the file if there is one. Nothing but a file that is new is written.
func (f *CursorFile) open() error {
	err := f.read()
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errNoHeader) {
		return err
	}
	if err != nil {
		return f.rewrite()
	}
	size, err := f.file.Size()
	if err != nil {
		return err
	}
	f.torn = size > f.state.end
	f.loose = true // nobody knows how far the one who put it there came
	return f.disk.Remove(f.temporary())
}

func (f *CursorFile) read() error {
	f.state = newCursorState()
	file, err := f.disk.Open(f.path)
	if err != nil {
		return err
	}
	f.file = file
	f.state, err = readCursors(file)
	return err
}

// Load gives the cursors of the file as it is now, by room.
func (f *CursorFile) Load(context.Context) ([]Cursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, f.closedError()
	}
	return f.state.cursors(), nil
}

// Save keeps cursors; of two of one room the last one. One with epoch 0 names no log: it is no cursor, and saving it
// deletes the room's. If Save fails, Load gives what it gave before; after a crash the new ones may be there all the same.
func (f *CursorFile) Save(_ context.Context, changed []Cursor) error {
	for _, cursor := range changed {
		if err := checkID("the room of a cursor", cursor.RoomID); err != nil {
			return f.saveError(err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.closedError()
	}
	if err := f.append(changed); err != nil {
		return f.saveError(err)
	}
	return f.compact()
}

// Delete forgets a room's cursor. It is no error if there is none.
func (f *CursorFile) Delete(ctx context.Context, roomID string) error {
	return f.Save(ctx, []Cursor{{RoomID: roomID}})
}

// Close closes the file. Everything is in it already. Closing again does nothing; what else is called afterwards fails
// with [os.ErrClosed].
func (f *CursorFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.closeFile()
	return nil
}

// closeFile has no error to report: what was synced is in the file, and the rest was reported as not saved.
func (f *CursorFile) closeFile() {
	if f.file != nil {
		_ = f.file.Close()
		f.file = nil
	}
}

// append writes what differs from what the file says, in one piece, and waits until the disk has it.
func (f *CursorFile) append(changed []Cursor) error {
	if err := f.ready(); err != nil {
		return err
	}
	raw, next, err := f.state.records(changed)
	if err != nil {
		return err
	}
	if len(next) == 0 && !f.torn && !f.loose {
		return nil // the disk has all of it
	}
	f.torn = true
	if err := f.write(raw); err != nil {
		// Nobody knows what the disk has of it, and the next process would take it for saved. If this fails too, ready
		// tries again: a record behind garbage would be lost.
		_ = f.file.Truncate(f.state.end)
		return err
	}
	f.torn = false
	f.state.apply(next...)
	return nil
}

func (f *CursorFile) write(raw []byte) error {
	if _, err := f.file.WriteAt(raw, f.state.end); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	return f.settle()
}

// ready opens the file if it is not, and sees to it that the next record goes to its end.
func (f *CursorFile) ready() error {
	if f.file == nil {
		file, err := f.disk.Open(f.path)
		if err != nil {
			return err
		}
		f.file = file
	}
	size, err := f.file.Size()
	switch {
	case err != nil:
		return err
	case size == f.state.end:
		return nil
	case size < f.state.end || !f.torn:
		return errors.New("another store writes to it: give each session a file of its own")
	}
	return f.file.Truncate(f.state.end)
}

// settle makes the file's name survive a crash of the machine.
func (f *CursorFile) settle() error {
	if !f.loose {
		return nil
	}
	if err := f.disk.SyncFolder(f.path); err != nil {
		return err
	}
	f.loose = false
	return nil
}

// compact writes the file anew if it is worth it. A failure concerns its size only, and is reported once until it has
// doubled.
func (f *CursorFile) compact() error {
	if f.state.end <= f.compactAt || f.state.end <= compactTimes*f.state.liveBytes {
		return nil
	}
	f.compactAt = 2 * f.state.end
	if err := f.rewrite(); err != nil {
		return fmt.Errorf("the cursors are saved, but their file %s cannot be written anew to make it smaller: %w", f.path, err)
	}
	f.compactAt = compactBytes
	return nil
}

// rewrite puts a new file with what is live in the place of the old one. Whatever happens, the one or the other is there
// whole. The old one is closed before: not every system replaces an open file.
func (f *CursorFile) rewrite() error {
	state := newCursorState()
	raw, next, err := state.records(f.state.cursors())
	if err != nil {
		return err
	}
	state.apply(next...)
	if err := f.disk.Remove(f.temporary()); err != nil {
		return err
	}
	if err := f.writeTemporary(append([]byte(cursorHeader), raw...)); err != nil {
		_ = f.disk.Remove(f.temporary())
		return err
	}
	f.closeFile()
	if err := f.disk.Rename(f.temporary(), f.path); err != nil {
		_ = f.disk.Remove(f.temporary())
		return err
	}
	f.state, f.torn, f.loose = state, false, true
	if err := f.ready(); err != nil {
		return err
	}
	return f.settle()
}

func (f *CursorFile) writeTemporary(raw []byte) error {
	file, err := f.disk.Create(f.temporary(), f.path)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(raw, 0)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func (f *CursorFile) temporary() string { return f.path + ".imsdk-new" }

func openError(path string, err error) error {
	switch {
	case errors.Is(err, errNotCursors):
		return fmt.Errorf("%s %w", path, err)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("the folder of the cursor file %s does not exist: make it first: %w", path, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the cursor file %s may not be used: let this process read and write it and its folder: %w", path, err)
	default:
		return fmt.Errorf("the cursor file %s cannot be opened: %w", path, err)
	}
}

func (f *CursorFile) saveError(err error) error {
	return fmt.Errorf("the cursors are not saved in %s: %w", f.path, err)
}

func (f *CursorFile) closedError() error {
	return fmt.Errorf("the cursor file %s is closed: open it again: %w", f.path, os.ErrClosed)
}
