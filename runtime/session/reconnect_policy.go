package session

import (
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reconnect says how a session comes back after its stream broke. Its zero value is the default: it never gives up.
type Reconnect struct {
	// Disabled ends the session when its stream breaks, and when its server asks it to connect elsewhere.
	Disabled bool
	// Attempts is how many tries in a row may fail before the session closes. A stream that breaks before it has
	// lived for Stable counts as a failed try. One that follows at once on a server's wish to end the stream does not
	// count. 0: without end.
	Attempts int
	// Base is the most that the first try waits. 0: 0.2 s.
	Base time.Duration
	// Max is the most that any try waits. 0: 20 s.
	Max time.Duration
	// Stable is how long a stream must have lived for the next wait to start from Base again. 0: 10 s.
	Stable time.Duration
	// Wait says how long a try waits: attempt counts from 1, cause is why the stream, or the try before, failed. Nil: a
	// random time between 0 and Base × 2^(attempt−1), at most Max ("full jitter"). Where the server refuses the
	// session itself (UNAUTHENTICATED, PERMISSION_DENIED, UNIMPLEMENTED, INVALID_ARGUMENT), it is between Max/2 and
	// Max: a token may be renewed meanwhile, and hurry does not help. A panic in it is reported, and the wait is the default.
	// It is asked too before a live stream asks again for a room that could not be joined, with attempt from 1.
	Wait func(attempt int, cause error) time.Duration
}

func (r Reconnect) withDefaults() Reconnect {
	if r.Base == 0 {
		r.Base = 200 * time.Millisecond
	}
	if r.Max == 0 {
		r.Max = max(20*time.Second, r.Base)
	}
	if r.Stable == 0 {
		r.Stable = 10 * time.Second
	}
	return r
}

// giveUp tells whether there is no such attempt.
func (r Reconnect) giveUp(attempt int) bool {
	return r.Disabled || (r.Attempts > 0 && attempt > r.Attempts)
}

// wait is how long an attempt waits.
func (r Reconnect) wait(attempt int, cause error) time.Duration {
	if r.Wait != nil {
		return max(r.Wait(attempt, cause), 0)
	}
	if refused(cause) {
		return r.Max/2 + jitter(r.Max/2)
	}
	ceiling := r.Base
	for i := 1; i < attempt && ceiling < r.Max; i++ {
		ceiling = min(ceiling, math.MaxInt64/2) * 2
	}
	return jitter(min(ceiling, r.Max))
}

// jitter is a random time up to limit, which a server may have named: any that is not negative.
func jitter(limit time.Duration) time.Duration {
	return rand.N(min(limit, math.MaxInt64-1) + 1) //nolint:gosec // nothing secret: it only has to spread
}

// refused tells whether a server does not want the session, however often it tries.
func refused(err error) bool {
	switch status.Code(err) {
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.InvalidArgument:
		return true
	default:
		return false
	}
}
