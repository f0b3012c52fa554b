package session_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const cursorFileHeader = "imsdk cursors 1\n"

// record frames a payload as the format says, whatever it is.
func record(payload []byte) []byte {
	raw := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	sum := crc32.Checksum(append(bytes.Clone(raw), payload...), crc32.MakeTable(crc32.Castagnoli))
	return append(binary.LittleEndian.AppendUint32(raw, sum), payload...)
}

// written is a file after a few saves, and what it says up to each of its ends of a record.
func written(t *testing.T) (content []byte, states map[int]string) {
	t.Helper()
	d := newFakeDisk()
	f := openOn(t, d)
	states = map[int]string{0: "", len(d.content(cursorPath)): ""}
	for _, c := range []session.Cursor{
		{RoomID: "a", Epoch: 1, Seq: 1},
		{RoomID: "b", Epoch: 1<<64 - 1, Seq: 1<<64 - 1},
		{RoomID: "a", Epoch: 1, Seq: 300},
		{RoomID: "b"},
		{RoomID: strings.Repeat("房", 42) + "ab", Epoch: 2, Seq: 0},
		{RoomID: "a", Epoch: 3, Seq: 2},
	} {
		save(t, f, c)
		states[len(d.content(cursorPath))] = load(t, f)
	}
	if len(states) != 8 {
		t.Fatalf("%d records, not 6", len(states)-2)
	}
	return d.content(cursorPath), states
}

func TestACursorFileCutAnywhereHasWhatWasWholeBeforeTheCut(t *testing.T) {
	t.Parallel()
	content, states := written(t)
	want := ""
	for end := range len(content) + 1 {
		if state, ok := states[end]; ok {
			want = state
		}
		d := newFakeDisk().with(cursorPath, content[:end])
		f := openOn(t, d)
		if got := load(t, f); got != want {
			t.Fatalf("cut at %d of %d: %q, not %q", end, len(content), got, want)
		}
		wantGoingOn(t, d, f, want)
	}
}

func TestAFlippedByteNeverMakesACursorThatWasNotSaved(t *testing.T) {
	t.Parallel()
	content, states := written(t)
	header := 16
	for at := range content {
		for _, flip := range []byte{1, 0x80, 0xff} {
			damaged := slices.Clone(content)
			damaged[at] ^= flip
			d := newFakeDisk().with(cursorPath, damaged)
			f, err := session.OpenCursorFileOn(d, cursorPath)
			if at < header {
				if err == nil || !strings.Contains(err.Error(), "is no file of cursors") || !bytes.Equal(d.content(cursorPath), damaged) {
					t.Fatalf("byte %d is %x: %v", at, damaged[at], err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("byte %d is %x: %v", at, damaged[at], err)
			}
			want, before := "", 0
			for end, state := range states {
				if end <= at && end >= before {
					want, before = state, end
				}
			}
			if got := load(t, f); got != want {
				t.Fatalf("byte %d is %x: %q, not %q", at, damaged[at], got, want)
			}
			wantGoingOn(t, d, f, want)
		}
	}
}

func TestWhatIsNoFileOfCursorsIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"x", "imsdk cursorx", "imsdk cursors 2\n", "\x00", strings.Repeat("\x00", 64), "my diary"} {
		d := newFakeDisk().with(cursorPath, []byte(content))
		_, err := session.OpenCursorFileOn(d, cursorPath)
		if err == nil || err.Error() != "/cursors is no file of cursors and is left as it is: give the path of a new file" {
			t.Errorf("%q: %v", content, err)
		}
		if got := string(d.content(cursorPath)); got != content || len(d.names) != 1 {
			t.Errorf("%q became %q of %d files", content, got, len(d.names))
		}
	}
}

func TestZerosAtTheEndOfACursorFileAreNoRecords(t *testing.T) {
	t.Parallel()
	content, _ := written(t)
	for n := range 64 {
		d := newFakeDisk().with(cursorPath, append(slices.Clone(content), make([]byte, n)...))
		f := openOn(t, d)
		before := load(t, openOn(t, newFakeDisk().with(cursorPath, content)))
		wantGoingOn(t, d, f, before)
	}
}

func TestADiskThatCannotBeReadCostsNoCursor(t *testing.T) {
	t.Parallel()
	content, _ := written(t)
	for len(content) < 3*4096 { // more than is read at once
		content = append(content, record([]byte("\x0a\x01a\x11\x01\x00\x00\x00\x00\x00\x00\x00"))...)
	}
	d := newFakeDisk().with(cursorPath, content)
	for _, step := range []string{"open", "read", "read again", "size"} {
		d.fail = failing(step)
		if step == "read again" {
			d.fail = func(s string) error {
				if s == "read" && d.steps[len(d.steps)-2] == "read" {
					return errDisk
				}
				return nil
			}
		}
		if _, err := session.OpenCursorFileOn(d, cursorPath); !errors.Is(err, errDisk) {
			t.Errorf("%s fails: %v", step, err)
		}
		if !bytes.Equal(d.content(cursorPath), content) {
			t.Fatalf("%s fails, and the file is another one", step)
		}
	}
	d.fail = func(string) error { return os.ErrPermission }
	_, err := session.OpenCursorFileOn(d, cursorPath)
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "let this process read and write it and its folder") {
		t.Errorf("no permission: %v", err)
	}
}

// TestTheBytesOfACursorFile pins the format: files of one release are read by the next.
func TestTheBytesOfACursorFile(t *testing.T) {
	t.Parallel()
	want := []byte(cursorFileHeader +
		"\x0e\x00\x00\x00\xc2\x5d\x13\xf9\x0a\x01a\x11\x08\x07\x06\x05\x04\x03\x02\x01\x18\x2a" +
		"\x03\x00\x00\x00\xeb\xfb\x0a\xf4\x0a\x01a")
	d := newFakeDisk()
	f := openOn(t, d)
	same := session.Cursor{RoomID: "a", Epoch: 0x0102030405060708, Seq: 42}
	save(t, f, same, same)
	save(t, f, session.Cursor{RoomID: "a"})
	if got := d.content(cursorPath); !bytes.Equal(got, want) {
		t.Errorf("the file is\n%q, not\n%q", got, want)
	}
}

func TestARecordThatNobodyCouldHaveWrittenEndsACursorFile(t *testing.T) {
	t.Parallel()
	whole := "\x0a\x01b\x11\x01\x00\x00\x00\x00\x00\x00\x00"
	for name, payload := range map[string]string{
		"empty": "", "no room": whole[3:], "not protobuf": whole + "\x0a\x7f", "no UTF-8": "\x0a\x01\xff",
		"a room of 129 bytes": "\x0a\x81\x01" + strings.Repeat("x", 129), "too large": whole + "\x7a\xd8\x04" + strings.Repeat("z", 600),
	} {
		content := slices.Concat([]byte(cursorFileHeader), record([]byte("\x0a\x01a"+whole[3:])), record([]byte(payload)), record([]byte(whole)))
		d := newFakeDisk().with(cursorPath, content)
		f := openOn(t, d)
		if got := load(t, f); got != "a=1/0" {
			t.Errorf("%s: %q", name, got)
		}
		wantGoingOn(t, d, f, "a=1/0")
	}
}
