package chaos_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
)

// mode says what becomes of the log when a server is killed.
type mode string

const (
	logSurvives mode = "log survives" // it is in another process
	logDies     mode = "log dies"     // it is the server's own
)

// result is what came of a run.
type result struct {
	setting  setting
	audit    *ledger.Audit
	ends     clientEnd // of all clients together
	cuts     map[string]int
	breaks   int // cuts that break connections
	restarts int
	killed   int
	trouble  []error // processes that did not do as they should
}

// String is the line that a run prints, and how it came.
func (r *result) String() string {
	c := r.audit.Counts
	var faults []string
	for _, what := range []string{
		"cut", "cut after bytes", "half-open", "cut and refuse", "freeze", "delay", "throttle", "cut (log)",
	} {
		faults = append(faults, fmt.Sprintf("%s %d", what, r.cuts[what]))
	}
	return fmt.Sprintf("mode: %s  seed: %d  length: %s\n"+
		"  sent %d  receipts %d  maybe delivered %d  not delivered %d  unanswered %d\n"+
		"  delivered %d  lost %d  duplicated %d  reordered %d  gaps told %d (excusing %d deliveries), found %d\n"+
		"  failed sends %d  revived %d  contradictions %d  window overruns %d (by %d bytes)\n"+
		"  longest silence %s (%s)  reconnects %d\n"+
		"  cuts %d (%s)  restarts %d (%d of them killed)",
		r.setting.mode, r.setting.seed, r.setting.length,
		c.Sent, c.Receipts, c.Maybe, c.Never, c.Unanswered,
		c.Delivered, c.Lost, c.Duplicated, c.Reordered, c.Gaps-c.Unsaid, c.Missing, c.Unsaid,
		c.Failed, c.Revived, c.Contradictions, r.ends.Overrun, r.ends.OverrunBy,
		r.ends.Silence.Round(time.Millisecond), r.ends.SilentFor, r.ends.Reconnects,
		r.breaks, strings.Join(faults, ", "), r.restarts, r.killed)
}

// wrong is why the run has failed: nothing, if it has not.
func (r *result) wrong() []error {
	wrong := r.trouble
	if err := r.audit.Err(r.setting.mode == logSurvives); err != nil {
		wrong = append(wrong, err)
	}
	if r.ends.Overrun > 0 {
		wrong = append(wrong, fmt.Errorf("more than the window was in flight: %d times, by %d bytes\n%s",
			r.ends.Overrun, r.ends.OverrunBy, strings.Join(r.ends.Overruns, "\n")))
	}
	if len(r.ends.Closed) > 0 {
		wrong = append(wrong, errors.New(strings.Join(r.ends.Closed, "\n")))
	}
	if r.breaks < r.setting.cuts || r.restarts < r.setting.restarts {
		wrong = append(wrong, errors.New("fewer faults than planned were made"))
	}
	if c := r.audit.Counts; c.Receipts == 0 || c.Delivered == 0 {
		wrong = append(wrong, errors.New("nothing was proved: nobody was told anything"))
	}
	if len(wrong) > 0 && len(r.ends.Errors) > 0 {
		wrong = append(wrong, errors.New("the last errors that sessions told:\n"+strings.Join(r.ends.Errors, "\n")))
	}
	return wrong
}
