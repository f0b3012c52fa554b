package linear_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

var rounds = flag.Int("linear.rounds", 5, "histories of each kind")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
