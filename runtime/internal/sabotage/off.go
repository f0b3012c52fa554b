//go:build !imsdk_sabotage

// Package sabotage breaks promises on purpose, one by one, so that a proof can be seen to fail. A program that is built
// without the tag imsdk_sabotage has constants instead of switches: nothing can set them, and the compiler leaves out
// what they guard.
package sabotage

// What may be broken. Each is used where the promise is kept.
const (
	ReceiptBeforeAppend = false // the server gives receipts for what its log does not have
	NoDedupe            = false // the log appends repeats
	NoOrder             = false // the session sends again in another order
	NoChain             = false // the session takes a message without looking at what precedes it
	NoGap               = false // the server goes on after a gap without a word
	NoReplay            = false // the server starts every reader at the log's end
	NoWindow            = false // the server sends more than the window lets it
	NoResend            = false // the session forgets, on a new stream, what it had sent on the old one
)
