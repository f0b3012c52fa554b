package session

import (
	"sync/atomic"
	"time"
)

// Stats counts what a session has done since it was made.
type Stats struct {
	// Sent counts messages that were handed to a stream, each once, or taken by SendUnary.
	Sent uint64
	// Resent counts messages that were handed to a further stream, because the one before broke without a receipt.
	Resent uint64
	// AsyncFailed counts the asynchronous sends that failed, whether anybody looked at their results or not.
	AsyncFailed uint64
	// Received counts messages that came for the application; neither control frames nor dropped echoes.
	Received uint64
	// Invalid counts received messages whose content did not parse or validate.
	Invalid uint64
	// Unknown counts received messages of a kind that no package has registered.
	Unknown uint64
	// Unhandled counts received messages of a known kind without a handler.
	Unhandled uint64
	// Errors counts what WithOnError was, or would have been, told.
	Errors uint64
	// Reconnects counts the streams after the first one that became ready.
	Reconnects uint64
	// Repeats counts messages that came again and were dropped.
	Repeats uint64
	// Gaps counts the times that messages were missing for good.
	Gaps uint64
	// RTT is how long the last answered heartbeat took. 0: none was answered yet.
	RTT time.Duration
}

// counters are the live numbers behind Stats.
type counters struct {
	sent, resent, asyncFailed, received, invalid, unknown, unhandled, errors, reconnects atomic.Uint64
	repeats, gaps                                                                        atomic.Uint64
	rtt                                                                                  atomic.Int64 // nanoseconds
}

func (c *counters) snapshot() Stats {
	return Stats{
		Sent:        c.sent.Load(),
		Resent:      c.resent.Load(),
		AsyncFailed: c.asyncFailed.Load(),
		Received:    c.received.Load(),
		Invalid:     c.invalid.Load(),
		Unknown:     c.unknown.Load(),
		Unhandled:   c.unhandled.Load(),
		Errors:      c.errors.Load(),
		Reconnects:  c.reconnects.Load(),
		Repeats:     c.repeats.Load(),
		Gaps:        c.gaps.Load(),
		RTT:         time.Duration(c.rtt.Load()),
	}
}
