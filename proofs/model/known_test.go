package model_test

import (
	"fmt"
	"testing"
	"time"
)

// known are schedules that have failed before something was mended. Which of two goroutines comes first is not part of a
// schedule, so each runs several times.
func known() map[string]schedule {
	return map[string]schedule{
		// A window that is full of what the reader has handled already: nobody told the server so.
		"a replay overlaps by a window": {
			Rooms: 1,
			Users: []user{{Stays: true}, {Handler: 50 * time.Millisecond, Window: 8000, Stays: true}},
			Steps: []step{
				{What: stepSend, User: 1, Count: 19, Size: 200},
				{What: stepSend, Count: 15, Size: 3000},
				{What: stepOverlap, Count: 16},
				{What: stepRestart},
				{What: stepFreeze},
				{What: stepWait, Time: 3 * time.Second},
				{What: stepSend, Count: 2, Size: 20},
			},
		},
	}
}

func TestSchedulesThatHaveFailedOnce(t *testing.T) {
	t.Parallel()
	for name, s := range known() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 30 {
				if err := run(t, s).book.Audit().Err(true); err != nil {
					t.Fatal(fmt.Errorf("%w\n%#v", err, s))
				}
			}
		})
	}
}
