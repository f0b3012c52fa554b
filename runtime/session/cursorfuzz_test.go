package session_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// FuzzCursorFile opens anything: as a file, behind a header, and as the payload of a whole record. What is refused stays
// as it is; what is not gives the same cursors each time, and goes on with what is saved then.
func FuzzCursorFile(f *testing.F) {
	f.Add([]byte(cursorFileHeader))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, content := range [][]byte{
			raw,
			append([]byte(cursorFileHeader), raw...),
			append([]byte(cursorFileHeader), record(raw)...),
		} {
			tryCursorFile(t, content)
		}
	})
}

func tryCursorFile(t *testing.T, content []byte) {
	t.Helper()
	d := newFakeDisk().with(cursorPath, content)
	f, err := session.OpenCursorFileOn(d, cursorPath)
	if err != nil {
		if strings.HasPrefix(string(content), cursorFileHeader) || !bytes.Equal(d.content(cursorPath), content) {
			t.Fatalf("%q: %v; the file is %q", content, err, d.content(cursorPath))
		}
		return
	}
	before, err := f.Load(t.Context())
	if err != nil || len(before) > len(content)/10 {
		t.Fatalf("%q: %v, %v", content, before, err)
	}
	state := load(t, f)
	if again := load(t, openOn(t, d)); again != state {
		t.Fatalf("%q, opened again: %q, before %q", content, again, state)
	}
	for _, c := range before { // each is one that could have been saved
		if err := f.Save(t.Context(), []session.Cursor{{RoomID: c.RoomID}, c}); err != nil {
			t.Fatalf("%q: %v", content, err)
		}
	}
	last := session.Cursor{RoomID: strings.Repeat("\U0010ffff", 32), Epoch: 1<<64 - 1, Seq: 1<<64 - 1}
	if err := f.Delete(t.Context(), last.RoomID); err != nil {
		t.Fatal(err)
	}
	state = load(t, f)
	save(t, f, last)
	want := strings.TrimSpace(state + " " + last.RoomID + "=18446744073709551615/18446744073709551615")
	if got := load(t, openOn(t, d)); got != want {
		t.Fatalf("%q: after one more Save %q, not %q", content, got, want)
	}
}
