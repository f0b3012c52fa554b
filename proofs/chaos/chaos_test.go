package chaos_test

import (
	"testing"
	"time"
)

func TestNothingIsLostWhenServersAreKilledAndTheLogIsNot(t *testing.T) {
	t.Parallel()
	result := chaos(t, setting{mode: logSurvives, seed: chosenSeed(), length: *length, cuts: *cuts, restarts: *restarts, rate: *rate})
	t.Log(result)
	for _, err := range result.wrong() {
		t.Error(err)
	}
}

func TestNothingIsLostWithoutAWordWhenTheLogDiesWithItsServer(t *testing.T) {
	t.Parallel()
	result := chaos(t, setting{mode: logDies, seed: chosenSeed(), length: *length, cuts: *cuts, restarts: *restarts, rate: *rate})
	t.Log(result)
	for _, err := range result.wrong() {
		t.Error(err)
	}
}

func chosenSeed() uint64 {
	if *seed != 0 {
		return *seed
	}
	return uint64(time.Now().UnixNano())
}
