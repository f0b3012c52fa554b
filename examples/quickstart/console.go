package main

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// The colours of the three users and of headings, as terminal escapes.
const (
	plain   = "\x1b[0m"
	bold    = "\x1b[1m"
	red     = "\x1b[31m"
	cyan    = "\x1b[36m"
	green   = "\x1b[32m"
	magenta = "\x1b[35m"
)

// console prints lines whole, whoever calls, with colours only on a terminal.
type console struct {
	mu    sync.Mutex // guards out: one line at a time
	out   io.Writer
	color bool
}

func newConsole(out *os.File) *console {
	info, err := out.Stat()
	_, noColor := os.LookupEnv("NO_COLOR")
	return &console{out: out, color: err == nil && info.Mode()&os.ModeCharDevice != 0 && !noColor}
}

// heading starts a step of the demo.
func (c *console) heading(format string, args ...any) {
	c.print(bold, "\n"+format, args...)
}

// line prints what somebody does or sees.
func (c *console) line(color, who, format string, args ...any) {
	c.print(color, "  %-6s "+format, append([]any{who}, args...)...)
}

func (c *console) print(color, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.color && color != "" {
		text = color + text + plain
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.out, text)
}
