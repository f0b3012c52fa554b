package main

import (
	"bytes"
	"testing"
)

func TestColoursAreForTerminalsOnly(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, color := range []bool{true, false} {
		p := newPrinter(&out, color)
		p.said("lobby", "ann", "hi")
		p.event("lobby", "x")
		p.failure("y")
	}
	const want = "\x1b[32m[lobby]\x1b[0m \x1b[36m<ann>\x1b[0m hi\n" +
		"\x1b[32m[lobby]\x1b[0m \x1b[33m* x\x1b[0m\n\x1b[31m! y\x1b[0m\n" + "[lobby] <ann> hi\n[lobby] * x\n! y\n"
	if got := out.String(); got != want {
		t.Errorf("got %q", got)
	}
	if isTerminal(&out) {
		t.Error("a buffer counts as a terminal")
	}
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		if !noColor(environment(map[string]string{name: value})) {
			t.Errorf("%s=%s does not switch colours off", name, value)
		}
	}
	if noColor(environment(map[string]string{"NO_COLOR": "", "TERM": "xterm"})) {
		t.Error("colours are off without a reason")
	}
}
