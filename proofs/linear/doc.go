// Package linear checks concurrent histories of one room's log with porcupine: is there an order of all appends and reads,
// each at a moment between its call and its return, in which a plain list with a map of keys would have answered the same?
//
//	go test ./linear -linear.rounds 200
//
// It does so for the memory engine alone and for the whole stack, where sessions send, under ids that other sessions of the
// same user use at the same time, while their connections are cut. A send whose result is unknown may have happened at any
// moment after its call, or never, as the log at the end shows. Histories of engines with a planted fault must be rejected: a
// checker that takes everything proves nothing.
package linear
