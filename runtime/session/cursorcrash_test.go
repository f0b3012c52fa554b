package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const cursorPath = "/cursors"

func openOn(t *testing.T, d *fakeDisk) *session.CursorFile {
	t.Helper()
	f, err := session.OpenCursorFileOn(d, cursorPath)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return f
}

func save(t *testing.T, f *session.CursorFile, cursors ...session.Cursor) {
	t.Helper()
	if err := f.Save(t.Context(), cursors); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

// load gives the cursors as text, in their order.
func load(t *testing.T, f *session.CursorFile) string {
	t.Helper()
	cursors, err := f.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	var b strings.Builder
	for _, c := range cursors {
		fmt.Fprintf(&b, "%s=%d/%d ", c.RoomID, c.Epoch, c.Seq)
	}
	return strings.TrimSpace(b.String())
}

// wantGoingOn saves one more cursor and looks for it in the file opened again.
func wantGoingOn(t *testing.T, d *fakeDisk, f *session.CursorFile, state string) {
	t.Helper()
	save(t, f, session.Cursor{RoomID: "龥", Epoch: 9, Seq: 9})
	want := strings.TrimSpace(state + " 龥=9/9")
	if got := load(t, openOn(t, d)); got != want {
		t.Fatalf("after one more Save the file has %q, not %q", got, want)
	}
}

// history is what was saved of each room, and which of it certainly.
type history struct {
	tried map[string][]session.Cursor
	sure  map[string]int // up to this many of tried nothing older may be found
}

func newHistory() *history {
	return &history{tried: make(map[string][]session.Cursor), sure: make(map[string]int)}
}

func (h *history) save(f *session.CursorFile, cursors ...session.Cursor) error {
	for _, c := range cursors {
		h.tried[c.RoomID] = append(h.tried[c.RoomID], c)
	}
	err := f.Save(context.Background(), cursors)
	if err == nil {
		for _, c := range cursors {
			h.sure[c.RoomID] = len(h.tried[c.RoomID])
		}
	}
	return err
}

// check compares a file with the history. What is found is certain from now on: a session goes on from it.
func (h *history) check(t *testing.T, f *session.CursorFile) {
	t.Helper()
	cursors, err := f.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	found := make(map[string]session.Cursor)
	for _, c := range cursors {
		found[c.RoomID] = c
	}
	for room, tried := range h.tried {
		from := max(h.sure[room]-1, 0)
		c, ok := found[room]
		if !ok && h.sure[room] == 0 {
			continue
		}
		if !ok {
			c = session.Cursor{RoomID: room}
		}
		if !slices.Contains(tried[from:], c) {
			t.Fatalf("%.20s has %v; saved for certain was %v, and tried since then %v", room, c, tried[from], tried[from+1:])
		}
		delete(found, room)
	}
	if len(found) > 0 {
		t.Fatalf("cursors that nobody saved: %v", found)
	}
}

// saves go on until the file has been written anew twice: few rooms with long names.
func (h *history) saves(f *session.CursorFile, random *rand.Rand, times int) error {
	var failed error
	for range times {
		var changed []session.Cursor
		for room := range 60 {
			id := strings.Repeat("r", 126) + fmt.Sprintf("%02d", room)
			c := session.Cursor{RoomID: id, Epoch: 1, Seq: uint64(len(h.tried[id]))}
			if random.IntN(20) == 0 {
				c = session.Cursor{RoomID: id} // the user leaves
			}
			changed = append(changed, c)
		}
		if random.IntN(3) == 0 {
			changed = changed[:random.IntN(len(changed))]
		}
		if err := h.save(f, changed...); err != nil {
			failed = err
		}
	}
	return failed
}

// TestASavedCursorSurvivesACrashAtEveryStep crashes the process, or the machine, at each step that a run of saves asks of
// the disk, with more or less of what was not synced left.
func TestASavedCursorSurvivesACrashAtEveryStep(t *testing.T) {
	t.Parallel()
	const times = 12
	steps := 0
	run := func(at int, seed uint64) {
		random := rand.New(rand.NewPCG(seed, uint64(at)))
		d, h := newFakeDisk(), newHistory()
		d.pick = random.IntN
		reached := 0
		d.fail = func(string) error {
			if reached++; at > 0 && reached >= at {
				return errCrash
			}
			return nil
		}
		f, err := session.OpenCursorFileOn(d, cursorPath)
		if err == nil {
			err = h.saves(f, random, times)
		}
		if at == 0 {
			steps = reached
			if err != nil || slices.Index(d.steps, "rename") == len(d.steps)-1-slices.Index(reversed(d.steps), "rename") {
				t.Fatalf("%v; the file was not written anew in %d steps", err, steps)
			}
		} else if err == nil && reached >= at {
			t.Fatalf("step %d of %d has failed and nobody was told", at, steps)
		}
		for life := range 3 { // process, machine, process or machine
			if life == 1 || life == 2 && random.IntN(2) == 0 {
				d.crash()
			}
			d.fail = nil
			f := openOn(t, d)
			h.check(t, f)
			if err := h.saves(f, random, 2); err != nil {
				t.Fatalf("after a crash at step %d: %v", at, err)
			}
			h.check(t, openOn(t, d))
		}
		if at := slices.Index(d.steps, "rename"); at > 0 && d.steps[at-1] != "close" {
			t.Fatalf("%s, then rename: not every system replaces an open file", d.steps[at-1])
		}
		if len(d.names) != 1 {
			t.Fatalf("after a crash at step %d there are %d files", at, len(d.names))
		}
	}
	run(0, 0)
	for at := 1; at <= steps; at++ {
		for seed := range uint64(3) {
			run(at, seed)
		}
	}
}

func reversed(steps []string) []string {
	steps = slices.Clone(steps)
	slices.Reverse(steps)
	return steps
}

// TestASavedCursorSurvivesADiskThatFailsNowAndThen: steps fail at random while the process lives on, and then the machine
// crashes.
func TestASavedCursorSurvivesADiskThatFailsNowAndThen(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		d, h := newFakeDisk(), newHistory()
		d.pick = random.IntN
		f := openOn(t, d)
		for range 4 {
			d.fail = func(string) error {
				if random.IntN(6) == 0 {
					return errDisk
				}
				return nil
			}
			_ = h.saves(f, random, 8)
			d.fail = nil
			if random.IntN(2) == 0 {
				h.check(t, openOn(t, d)) // as a process would find it that starts now
				d.crash()
				f = openOn(t, d)
			}
			h.check(t, f)
			if err := h.saves(f, random, 1); err != nil {
				t.Fatalf("the disk works again: %v", err)
			}
		}
		h.check(t, openOn(t, d))
	}
}

// TestASaveThatFailedIsNotTakenForSavedByTheNextProcess: what a failed sync leaves in the system's memory reads as if it was
// on the disk, and never gets there.
func TestASaveThatFailedIsNotTakenForSavedByTheNextProcess(t *testing.T) {
	t.Parallel()
	d := newFakeDisk()
	f := openOn(t, d)
	save(t, f, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1})
	d.fail = failing("sync")
	if err := f.Save(t.Context(), []session.Cursor{{RoomID: "a", Epoch: 1, Seq: 2}}); !errors.Is(err, errDisk) {
		t.Errorf("Save: %v", err)
	}
	d.fail = nil
	f = openOn(t, d)
	save(t, f, session.Cursor{RoomID: "b", Epoch: 1, Seq: 1})
	d.crash()
	if got := load(t, openOn(t, d)); got != "a=1/1 b=1/1" {
		t.Errorf("after a crash the file has %q", got)
	}
}

// TestWhatHasNothingToWriteWaitsForTheDiskAllTheSame if the disk may not have what the file reads as.
func TestWhatHasNothingToWriteWaitsForTheDiskAllTheSame(t *testing.T) {
	t.Parallel()
	one, two := session.Cursor{RoomID: "a", Epoch: 1, Seq: 1}, session.Cursor{RoomID: "b", Epoch: 1, Seq: 2}
	d := newFakeDisk()
	f := openOn(t, d)
	save(t, f, one)
	d.fail = failing("sync")
	d.pick = func(n int) int { return n - 1 } // it fails with all written
	if err := f.Save(t.Context(), []session.Cursor{two}); !errors.Is(err, errDisk) {
		t.Errorf("Save: %v", err)
	}
	d.fail, d.pick = nil, func(int) int { return 0 }
	if err := f.Delete(t.Context(), "b"); err != nil {
		t.Errorf("Delete of what was not saved for certain: %v", err)
	}
	d.crash()
	if got := load(t, openOn(t, d)); got != "a=1/1" {
		t.Errorf("after a crash the file has %q", got)
	}

	f = openOn(t, d)
	d.fail = func(step string) error {
		if step == "sync" || step == "truncate" {
			return errCrash
		}
		return nil
	}
	if err := f.Save(t.Context(), []session.Cursor{two}); !errors.Is(err, errCrash) {
		t.Errorf("Save: %v", err)
	}
	d.fail = nil
	f = openOn(t, d)
	save(t, f, two) // it reads as saved already
	d.crash()
	if got := load(t, openOn(t, d)); got != "a=1/1 b=1/2" {
		t.Errorf("after a crash the file has %q", got)
	}
}

func TestAFileThatHasBecomeShorterIsAnotherStores(t *testing.T) {
	t.Parallel()
	d := newFakeDisk()
	f := openOn(t, d)
	save(t, f, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1})
	d.fail = failing("sync")
	_ = f.Save(t.Context(), []session.Cursor{{RoomID: "a", Epoch: 1, Seq: 2}})
	d.fail = nil
	d.names[cursorPath].seen = []byte(cursorFileHeader)
	err := f.Save(t.Context(), []session.Cursor{{RoomID: "a", Epoch: 1, Seq: 2}})
	if err == nil || !strings.Contains(err.Error(), "another store writes to it") {
		t.Errorf("Save: %v", err)
	}
}

// failing makes a disk fail these steps.
func failing(steps ...string) func(string) error {
	return func(step string) error {
		if slices.Contains(steps, step) {
			return errDisk
		}
		return nil
	}
}

func TestAStoreWhoseFileCannotBeMendedSaysSoUntilItCan(t *testing.T) {
	t.Parallel()
	d := newFakeDisk()
	d.pick = func(n int) int { return n / 2 }
	f := openOn(t, d)
	save(t, f, session.Cursor{RoomID: "a", Epoch: 1, Seq: 1})
	d.fail = failing("write", "truncate")
	for seq := range uint64(3) {
		err := f.Save(t.Context(), []session.Cursor{{RoomID: "a", Epoch: 1, Seq: 2 + seq}})
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "the cursors are not saved in /cursors: ") {
			t.Errorf("Save: %v", err)
		}
	}
	if err := f.Delete(t.Context(), "nowhere"); !errors.Is(err, errDisk) {
		t.Errorf("Delete of what is not there, while the file has a torn end: %v", err)
	}
	if got := load(t, f); got != "a=1/1" {
		t.Errorf("after saves that failed: %q", got)
	}
	d.fail = nil
	wantGoingOn(t, d, f, "a=1/1")
}

func TestAFailureToWriteTheFileAnewIsToldOnceUntilItHasDoubled(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"create", "write", "rename"} {
		d, h, random := newFakeDisk(), newHistory(), rand.New(rand.NewPCG(1, 1))
		f := openOn(t, d)
		d.fail = func(s string) error {
			if s == step && (s != "write" || d.steps[len(d.steps)-2] == "create") {
				return errDisk
			}
			return nil
		}
		var at []int
		for range 30 {
			if err := h.saves(f, random, 1); err != nil {
				if !strings.Contains(err.Error(), "the cursors are saved, but their file /cursors cannot be written anew") {
					t.Fatalf("%s fails: %v", step, err)
				}
				at = append(at, len(d.content(cursorPath))>>10)
			}
			for room := range h.tried { // they are saved
				h.sure[room] = len(h.tried[room])
			}
			h.check(t, openOn(t, d))
			if len(d.names) != 1 {
				t.Fatalf("%s fails, and there are %d files", step, len(d.names))
			}
		}
		if len(at) != 2 || at[0] < 64 || at[1] < 2*at[0] {
			t.Errorf("%s fails: told at these sizes in KiB: %v", step, at)
		}
		d.fail = nil
		if err := h.saves(f, random, 60); err != nil || len(d.content(cursorPath)) > 80<<10 {
			t.Fatalf("%s works again: %d bytes, %v", step, len(d.content(cursorPath)), err)
		}
		h.check(t, openOn(t, d))
	}
}
