package chaos_test

import (
	"testing"
	"time"
)

func TestNothingIsLostWhenServersAreKilledAndTheLogIsNot(t *testing.T) {
	t.Parallel()
	prove(t, logSurvives)
}

func TestNothingIsLostWithoutAWordWhenTheLogDiesWithItsServer(t *testing.T) {
	t.Parallel()
	prove(t, logDies)
}

func prove(t *testing.T, m mode) {
	t.Helper()
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	result := chaos(t, setting{
		mode: m, seed: from, length: *length, cuts: *cuts, restarts: *restarts, rate: *rate,
		faults: faults{Repeat: 200, Break: 2000, Lose: 400}, patience: 40 * time.Second, idle: 15 * time.Second,
	})
	t.Log(result)
	for _, err := range result.wrong() {
		t.Error(err)
	}
}
