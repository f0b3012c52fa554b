package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func openCursors(t *testing.T, path string) *session.CursorFile {
	t.Helper()
	f, err := session.OpenCursorFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestACursorFileGivesTheLastCursorOfEachRoomAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cursors")
	f := openCursors(t, path)
	if got := load(t, f); got != "" {
		t.Errorf("a new file has %q", got)
	}
	long := strings.Repeat("é", 64)
	save(t, f, session.Cursor{RoomID: "b", Epoch: 1, Seq: 1}, session.Cursor{RoomID: long, Epoch: 1<<64 - 1, Seq: 1<<64 - 1})
	save(t, f, session.Cursor{RoomID: "a", Epoch: 7, Seq: 0}, session.Cursor{RoomID: "b", Epoch: 1, Seq: 3}, session.Cursor{RoomID: "b", Epoch: 1, Seq: 1})
	save(t, f)
	want := "a=7/0 b=1/1 " + long + "=18446744073709551615/18446744073709551615"
	if got := load(t, f); got != want {
		t.Errorf("before Close: %q, not %q", got, want)
	}
	_ = f.Close()
	f = openCursors(t, path)
	if got := load(t, f); got != want {
		t.Errorf("opened again: %q, not %q", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

func TestADeletedCursorStaysDeleted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cursors")
	f := openCursors(t, path)
	save(t, f, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1}, session.Cursor{RoomID: "b", Epoch: 1, Seq: 1}, session.Cursor{RoomID: "c", Epoch: 1, Seq: 1})
	if err := errors.Join(f.Delete(t.Context(), "a"), f.Delete(t.Context(), "nowhere")); err != nil {
		t.Fatal(err)
	}
	save(t, f, session.Cursor{RoomID: "b", Epoch: 0, Seq: 5})
	if got := load(t, f); got != "c=1/1" {
		t.Errorf("after Delete: %q", got)
	}
	_ = f.Close()
	f = openCursors(t, path)
	if got := load(t, f); got != "c=1/1" {
		t.Errorf("opened again: %q", got)
	}
	save(t, f, session.Cursor{RoomID: "a", Epoch: 2, Seq: 2})
	if got := load(t, openCursors(t, path)); got != "a=2/2 c=1/1" {
		t.Errorf("saved again: %q", got)
	}
}

func TestACursorFileStaysSmallAndLeavesNothingBeside(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "cursors")
	link := filepath.Join(folder, "link")
	if err := errors.Join(os.WriteFile(path, nil, 0o640), os.Chmod(path, 0o640), os.Symlink(path, link)); err != nil { // as one makes a place for it
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".imsdk-new", []byte("what a crash has left"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := openCursors(t, link)
	largest := int64(0)
	var last []session.Cursor
	for seq := range uint64(40) {
		last = nil
		for room := range 60 {
			last = append(last, session.Cursor{RoomID: fmt.Sprintf("%0128d", room), Epoch: 1, Seq: seq})
		}
		save(t, f, last...)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
		if info.Mode().Perm() != 0o640 {
			t.Fatalf("the file's mode has become %v", info.Mode())
		}
	}
	if largest < 60<<10 || largest > 80<<10 {
		t.Errorf("it grew to %d bytes", largest)
	}
	if err := os.WriteFile(path+".imsdk-new", []byte("what a crash has left"), 0o600); err != nil {
		t.Fatal(err)
	}
	openCursors(t, path)
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || !slices.Equal(names, []string{path, link}) {
		t.Errorf("the folder has %q, %v", names, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become %v, %v", info.Mode(), err)
	}
	if got, err := openCursors(t, path).Load(t.Context()); err != nil || !slices.Equal(got, last) {
		t.Errorf("opened again: %v, %v", got, err)
	}
}

func TestOpenCursorFileSaysWhatIsWrongWithAPath(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	diary := filepath.Join(folder, "diary")
	if err := os.WriteFile(diary, []byte("dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "none", "cursors"): "does not exist: make it first",
		folder:                                   "is no file of cursors and is left as it is: give the path of a new file",
		diary:                                    "is no file of cursors and is left as it is: give the path of a new file",
		os.DevNull:                               "is no file of cursors and is left as it is: give the path of a new file",
		filepath.Join(diary, "cursors"):          "cannot be opened",
	} {
		f, err := session.OpenCursorFile(path)
		if err == nil {
			_ = f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if content, err := os.ReadFile(diary); err != nil || string(content) != "dear diary" {
		t.Errorf("the diary says %q, %v", content, err)
	}
}

func TestSaveRefusesWhatIsNoRoom(t *testing.T) {
	t.Parallel()
	f := openCursors(t, filepath.Join(t.TempDir(), "cursors"))
	for id, want := range map[string]string{
		"": "is empty", strings.Repeat("x", 129): "has 129 bytes", "\xff": "is not valid UTF-8",
	} {
		err := f.Save(t.Context(), []session.Cursor{{RoomID: "a", Epoch: 1}, {RoomID: id, Epoch: 1}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.5q: %v", id, err)
		}
	}
	if got := load(t, f); got != "" {
		t.Errorf("saved all the same: %q", got)
	}
}

func TestAClosedCursorFileFailsClearly(t *testing.T) {
	t.Parallel()
	f := openCursors(t, filepath.Join(t.TempDir(), "cursors"))
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatalf("Close, twice: %v", err)
	}
	_, loadErr := f.Load(t.Context())
	for name, err := range map[string]error{
		"Load": loadErr, "Save": f.Save(t.Context(), nil), "Delete": f.Delete(t.Context(), "a"),
	} {
		if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "is closed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOfTwoStoresInOneFileTheSecondToSaveFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cursors")
	one, two := openCursors(t, path), openCursors(t, path)
	save(t, one, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1})
	for range 2 {
		err := two.Save(t.Context(), []session.Cursor{{RoomID: "b", Epoch: 1, Seq: 1}})
		if err == nil || !strings.Contains(err.Error(), "another store writes to it: give each session a file of its own") {
			t.Errorf("the other store: %v", err)
		}
	}
	save(t, one, session.Cursor{RoomID: "a", Epoch: 1, Seq: 2})
	if got := load(t, openCursors(t, path)); got != "a=1/2" {
		t.Errorf("the file has %q", got)
	}
}

func TestSavingWhatTheFileSaysWritesNothing(t *testing.T) {
	t.Parallel()
	d := newFakeDisk()
	f := openOn(t, d)
	save(t, f, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1})
	steps := len(d.steps)
	save(t, f, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1}, session.Cursor{RoomID: "b"})
	if got := d.steps[steps:]; slices.Contains(got, "write") || slices.Contains(got, "sync") {
		t.Errorf("asked of the disk: %v", got)
	}
}

func TestACanceledContextDoesNotKeepASessionsLastCursorsFromBeingSaved(t *testing.T) {
	t.Parallel()
	f := openCursors(t, filepath.Join(t.TempDir(), "cursors"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Save(ctx, []session.Cursor{{RoomID: "a", Epoch: 1, Seq: 1}}); err != nil {
		t.Error(err)
	}
}

func TestACursorFileMayBeUsedFromManyGoroutines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cursors")
	f := openCursors(t, path)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			room := fmt.Sprint("room", worker)
			for seq := range uint64(30) {
				if err := f.Save(t.Context(), []session.Cursor{{RoomID: room, Epoch: 1, Seq: seq}}); err != nil {
					t.Error(err)
				}
				if _, err := f.Load(t.Context()); err != nil {
					t.Error(err)
				}
				if err := f.Delete(t.Context(), "nowhere"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for worker := range 8 {
		want = append(want, fmt.Sprintf("room%d=1/29", worker))
	}
	if got := load(t, openCursors(t, path)); got != strings.Join(want, " ") {
		t.Errorf("the file has %q", got)
	}
}
