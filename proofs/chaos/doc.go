// Package chaos runs real processes over TCP for minutes, breaks connections and kills servers, and counts what became of
// every message.
//
//	make chaos                  # about three minutes
//	make chaos CHAOS=long       # an hour
//	make chaos CHAOSFLAGS='-chaos.seed 7 -chaos.length 30s -chaos.cuts 20 -chaos.restarts 6'
//	make sabotage               # the same against builds that break one promise each: every one must be found out
//
// # Who takes part
//
// The test is the controller. It starts its own binary again as the other processes: a server, clients with several
// sessions each, and, in the first mode, a log. Between each client and the server, and between the server and the log,
// stands an imtest.Proxy. Sessions of [session.Dial] and of [session.New] on an injected connection send at a steady rate to
// some rooms and read several; there is a client whose proxy is throttled now and then, handlers that are slow, senders that
// give up early, small windows, and sessions that hear themselves.
//
// While they talk the controller cuts connections (at once, or after some bytes), makes them half-open, refuses, freezes
// and delays, and restarts the server: mostly with SIGKILL, sometimes as an operator does, with SIGTERM. When that is over the
// senders stop, and everybody has time to get what is missing.
//
// # What must hold
//
// With a log that survives (the log process is not killed): each message with a receipt reaches each reader of its room
// exactly once, in the log's order and in each sender's; no gap is told; no send fails but those that were given up early; and
// what certainly was not delivered was not. With a log that dies with its server: whatever has a receipt and did not reach
// a reader lies within a gap told to that reader; nothing is duplicated or reordered. In both no
// session ever has to find a gap by itself.
//
// # What it prints
//
// A line for each mode, `mode: … seed: …` and the counts of package ledger; the test fails if one is not as it must be, with
// examples. Silence is the longest time in which a reader heard nothing in a room where people talk. The seed makes the same
// schedule of faults again, not the same timing.
package chaos
