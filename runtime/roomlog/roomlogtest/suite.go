// Package roomlogtest is the suite that every engine of [roomlog] passes. An engine's own test calls [Run]:
//
//	func TestConformance(t *testing.T) {
//		roomlogtest.Run(t, roomlogtest.Config{
//			Open: func(t *testing.T, retention roomlog.Retention) roomlog.Engine { … },
//		})
//	}
//
// It asks for what [roomlog.Engine] promises and for no more: sequence numbers may have holes, subscribers may be called
// late, and several engines may be handles of the same logs. Clocks are real ones, so that engines over a network pass it.
package roomlogtest

import (
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// Config tells the suite how to get the engine under test and what it cannot do. What is said not to be there is not
// tested; the suite logs it.
type Config struct {
	// Open gives an engine without any log, which keeps at least what the retention says of; its zero values mean at least as
	// much as [roomlog.Memory] keeps by default. It is closed in t.Cleanup. The suite opens many at a time. Required.
	Open func(t *testing.T, retention roomlog.Retention) roomlog.Engine
	// Another gives a second handle of the same logs, as another process has it. Nil: only one process can have them.
	Another func(t *testing.T, engine roomlog.Engine) roomlog.Engine
	// Without names the limits of roomlog.Retention that the engine does not keep.
	Without Limits
	// LeavesOut says that subscribers may miss messages, which the chain of PrevSeq then shows.
	LeavesOut bool
	// Patience is how long the suite waits for what has to happen. Default: 30 s.
	Patience time.Duration
}

// Limits are those of [roomlog.Retention].
type Limits struct {
	Messages, Bytes, TotalBytes bool
	// Age and DedupeWindow are tried out with a second.
	Age, DedupeWindow bool
}

// Run is the suite. An engine that has a method Forget(room string), which loses a log, is tested with it.
func Run(t *testing.T, config Config) {
	t.Helper()
	if config.Patience <= 0 {
		config.Patience = 30 * time.Second
	}
	groups := map[string][]test{
		"appending": appending, "repeats": repeats, "reading": reading, "subscribing": subscribing, "names": names,
		"together": together, "contexts": contexts,
	}
	for group, tests := range groups {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			for _, test := range tests {
				config.run(t, test)
			}
		})
	}
	t.Run("retention", func(t *testing.T) {
		t.Parallel()
		for _, test := range retaining {
			if test.needs(config.Without) {
				t.Logf("not tested, the engine does not keep this limit: %s", test.name)
				continue
			}
			config.run(t, test.test)
		}
	})
	t.Run("a lost log", func(t *testing.T) {
		t.Parallel()
		if _, ok := config.Open(t, roomlog.Retention{}).(forgetter); !ok {
			t.Log("not tested, the engine has no method Forget")
			return
		}
		for _, test := range losing {
			config.run(t, test)
		}
	})
}

// forgetter is an engine that can lose a log on purpose.
type forgetter interface{ Forget(room string) }

// test is one promise. Each gets an engine of its own.
type test struct {
	name string
	keep roomlog.Retention
	run  func(s *suite)
}

// limitTest is a test of a limit that an engine may be without.
type limitTest struct {
	test
	needs func(without Limits) bool // tells that the engine is without it
}

func (c Config) run(t *testing.T, test test) {
	t.Helper()
	t.Run(test.name, func(t *testing.T) {
		t.Parallel()
		engine := c.Open(t, test.keep)
		s := &suite{T: t, config: c, engine: engine, other: engine, room: "room"}
		if c.Another != nil {
			s.other = c.Another(t, engine)
		}
		test.run(s)
	})
}
