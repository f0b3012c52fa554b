//go:build imsdk_sabotage

package chaos_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// broken is a promise that a build breaks, and what must give it away.
type broken struct {
	name   string // a switch of package sabotage
	mode   mode
	faults faults
	found  map[string]func(r *result) int // any of these
}

var (
	lost       = map[string]func(r *result) int{"lost": func(r *result) int { return r.audit.Lost }}
	duplicated = map[string]func(r *result) int{"duplicated": func(r *result) int { return r.audit.Duplicated }}
)

// promises are all of them.
func promises() []broken {
	ordinary := faults{Repeat: 200, Break: 300, Lose: 0}
	return []broken{
		{name: "ReceiptBeforeAppend", mode: logSurvives, faults: ordinary, found: lost},
		{name: "NoDedupe", mode: logSurvives, faults: ordinary, found: duplicated},
		{name: "NoOrder", mode: logSurvives, faults: ordinary, found: map[string]func(r *result) int{
			"reordered":    func(r *result) int { return r.audit.Reordered },
			"failed sends": func(r *result) int { return r.audit.Failed },
		}},
		// Only where messages are left out does it matter who looks at the chain.
		{name: "NoChain", mode: logSurvives, faults: faults{Repeat: 200, Break: 300, Lose: 50}, found: lost},
		{name: "NoGap", mode: logDies, faults: ordinary, found: map[string]func(r *result) int{
			"gaps found by sessions": func(r *result) int { return r.audit.Unsaid },
		}},
		// A session that looks at the chain finds out by itself what the server does not say. One that does not loses it.
		{name: "NoGap,NoChain", mode: logDies, faults: ordinary, found: lost},
		{name: "NoReplay", mode: logSurvives, faults: ordinary, found: map[string]func(r *result) int{
			"lost":      func(r *result) int { return r.audit.Lost },
			"gaps told": func(r *result) int { return r.audit.Gaps },
		}},
		{name: "NoWindow", mode: logSurvives, faults: ordinary, found: map[string]func(r *result) int{
			"window overruns": func(r *result) int { return r.ends.Overrun },
		}},
		{name: "NoResend", mode: logSurvives, faults: ordinary, found: lost},
	}
}

func TestABrokenPromiseIsFoundOut(t *testing.T) {
	var mu sync.Mutex
	table := make(map[string]string)
	t.Run("promises", func(t *testing.T) {
		for _, p := range append(promises(), broken{name: "none", mode: logSurvives, faults: faults{Repeat: 200, Break: 300, Lose: 50}}) {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				line := findOut(t, p)
				mu.Lock()
				defer mu.Unlock()
				table[p.name] = line
			})
		}
	})
	var lines strings.Builder
	for _, p := range append(promises(), broken{name: "none"}) {
		fmt.Fprintf(&lines, "\n  %-20s %s", p.name, table[p.name])
	}
	t.Log("what gave each broken promise away:" + lines.String())
}

// findOut runs a build that breaks a promise.
func findOut(t *testing.T, p broken) (line string) {
	t.Helper()
	result := chaos(t, setting{
		mode: p.mode, seed: *seed + 1, length: 15 * time.Second, cuts: 30, restarts: 6, rate: 300,
		faults: p.faults, patience: 10 * time.Second, idle: 5 * time.Second, env: []string{"IMSDK_SABOTAGE=" + p.name},
	})
	wrong := result.wrong()
	if p.found == nil {
		for _, err := range wrong {
			t.Error("nothing is broken, and yet: ", err)
		}
		return fmt.Sprintf("nothing, as it must be: %d messages", result.audit.Sent)
	}
	if len(wrong) == 0 {
		t.Errorf("the run has not failed:\n%v", result)
	}
	var counts []string
	for what, count := range p.found {
		if n := count(result); n > 0 {
			counts = append(counts, fmt.Sprintf("%s %d", what, n))
		}
	}
	if len(counts) == 0 {
		t.Errorf("the run has failed, but not for this:\n%v\n%v", result, wrong)
	}
	return strings.Join(counts, ", ")
}
