package docs_test

import (
	"io"
	"log"
	"testing"
)

// TestMain keeps what the pages' code logs to itself.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	m.Run()
}
