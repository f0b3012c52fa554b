package chaos_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The size of a run. The defaults are for `make test`; make chaos says more.
var (
	seed     = flag.Uint64("chaos.seed", 0, "schedule of the faults; 0 takes one from the clock")
	length   = flag.Duration("chaos.length", 6*time.Second, "how long there are faults")
	cuts     = flag.Int("chaos.cuts", 10, "faults that break connections")
	restarts = flag.Int("chaos.restarts", 3, "restarts of the server")
	rate     = flag.Int("chaos.rate", 300, "messages per second, all senders together")
)

// TestMain is also where the other processes start: they are this binary with a role in the environment.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleKey); role != "" {
		os.Exit(runRole(role)) //nolint:forbidigo // the main of a process
	}
	goleak.VerifyTestMain(m)
}
