package docs_test

import (
	"io"
	"log"
	"testing"

	"go.uber.org/goleak"
)

// TestMain keeps what the pages' code logs to itself, and fails if a goroutine of it is left.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m)
}
