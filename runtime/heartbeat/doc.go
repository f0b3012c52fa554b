// Package heartbeat finds out whether the other side of a stream is still there. A [Pinger] sends signs of life, a
// [Watchdog] notices when none come. Session and server use both; neither needs a goroutine of its own while it waits.
//
// All methods are safe for concurrent use. The functions that are given to either run in a goroutine of the timer,
// with no lock held, and must not block for long.
package heartbeat
