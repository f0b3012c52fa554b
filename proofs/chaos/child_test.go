package chaos_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
)

// child is another process.
type child struct {
	t        *testing.T
	name     string
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	statuses chan report
	done     chan struct{} // closed when it has ended and all it told is in the book
	err      error         // set before done is closed
	output   tail
}

// spawn starts a process of a role. It ends with the test at the latest.
func spawn(t *testing.T, book *ledger.Book, name, role string, config any, env ...string) *child {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, name: name, statuses: make(chan report, 10), done: make(chan struct{})}
	c.cmd = exec.Command(os.Args[0]) //nolint:noctx // it is stopped by more than a context's end
	c.cmd.Env = append(append(os.Environ(), roleKey+"="+role, configKey+"="+string(text)), env...)
	c.cmd.ExtraFiles = []*os.File{writing}
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writing.Close()
	go c.read(reading, book)
	t.Cleanup(c.kill)
	return c
}

// read takes what the process tells, until it ends.
func (c *child) read(from *os.File, book *ledger.Book) {
	defer close(c.done)
	defer func() { _ = from.Close() }()
	decoder := gob.NewDecoder(from)
	for {
		var r report
		if err := decoder.Decode(&r); err != nil {
			break // the process has ended, or is about to
		}
		book.Add(r.Events...)
		if r.Status != statusNone {
			c.statuses <- r
		}
	}
	close(c.statuses)
	c.err = c.cmd.Wait()
}

// await waits for a status.
func (c *child) await(want status, most time.Duration) *report {
	c.t.Helper()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case r, open := <-c.statuses:
		switch {
		case !open:
			<-c.done
			c.t.Fatalf("%s has ended: %v\n%s", c.name, c.err, c.output.String())
		case r.Status != want:
			c.t.Fatalf("%s says %d instead of %d", c.name, r.Status, want)
		}
		return &r
	case <-timer.C:
		c.kill()
		c.t.Fatalf("%s says nothing for %s\n%s", c.name, most, c.output.String())
	}
	return nil
}

func (c *child) say(word string) { _, _ = io.WriteString(c.stdin, word+"\n") }

// kill is SIGKILL.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// terminate is SIGTERM, and the process must end well in time.
func (c *child) terminate(most time.Duration) {
	c.t.Helper()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	c.ends(most)
}

// ends waits for the process to end well.
func (c *child) ends(most time.Duration) {
	c.t.Helper()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.done:
		if c.err != nil {
			c.t.Errorf("%s: %v\n%s", c.name, c.err, c.output.String())
		}
	case <-timer.C:
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // it tells where it stands
		time.Sleep(time.Second)
		c.kill()
		c.t.Errorf("%s has not ended after %s\n%s", c.name, most, c.output.String())
	}
}

// complaints are what a process that was killed said before: nothing, if all is well.
func (c *child) complaints() error {
	if text := c.output.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
		return errors.New(c.name + ": " + text)
	}
	return nil
}

// tail keeps the last of what a process writes.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const tailBytes = 64 << 10

// Write never fails.
func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if over := w.text.Len() - tailBytes; over > 0 {
		w.text.Next(over)
	}
	return len(p), nil
}

// String is what was kept.
func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
