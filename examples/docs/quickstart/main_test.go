package main

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	main()
	// Output:
	// <bob> Hello, Ann!
	// the room's log has it: true
	// send Text (room "lobby"): invalid content: text: value length must be between 1 and 65536 bytes, inclusive
}
