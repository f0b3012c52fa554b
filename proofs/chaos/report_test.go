package chaos_test

import (
	"encoding/gob"
	"os"
	"sync"
	"time"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
)

// report is what a process tells the controller.
type report struct {
	Events []ledger.Event
	Status status
	Text   string     // of a status: an address
	End    *clientEnd // with statusEnd of a client
}

// status is where a process stands.
type status uint8

const (
	statusNone  status = iota
	statusReady        // a server listens at Text; a client's sessions are in their rooms
	statusQuiet        // a client's sends have their results, or will have none
	statusEnd          // all that was to be told was told
)

// clientEnd is what a client counts.
type clientEnd struct {
	Silence    time.Duration // the longest
	SilentFor  string        // who, and where
	Reconnects uint64
	Overrun    int      // how often more than the window was in flight
	OverrunBy  int      // bytes, the most
	Overruns   []string // examples
	Closed     []string
	Errors     []string // the last ones that sessions told
}

// reporter sends reports through the file that the controller reads.
type reporter struct {
	mu      sync.Mutex
	encoder *gob.Encoder
	pending []ledger.Event
}

const (
	reportFile  = 3 // the descriptor
	reportEvery = 50 * time.Millisecond
	reportMost  = 1000
)

func newReporter() *reporter {
	return &reporter{encoder: gob.NewEncoder(os.NewFile(reportFile, "reports"))}
}

// event tells it soon.
func (r *reporter) event(e ledger.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, e)
	if len(r.pending) >= reportMost {
		r.flushLocked(report{})
	}
}

// now tells it, and all before it, before it returns. If the controller has gone, nobody needs to know.
func (r *reporter) now(last report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flushLocked(last)
}

func (r *reporter) flushLocked(last report) {
	last.Events = append(r.pending, last.Events...)
	r.pending = nil
	if len(last.Events) > 0 || last.Status != statusNone {
		_ = r.encoder.Encode(&last)
	}
}

// flushing flushes until done is closed.
func (r *reporter) flushing(done <-chan struct{}) {
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.now(report{})
		case <-done:
			return
		}
	}
}
