package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Colours, as terminal escapes.
const (
	plain  = "\x1b[0m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
)

// printer writes whole lines, whoever calls. It moves no cursor: a line that is being typed stays what the terminal makes
// of it.
type printer struct {
	mu    sync.Mutex // one line at a time
	out   io.Writer
	color bool
}

func newPrinter(out io.Writer, color bool) *printer { return &printer{out: out, color: color} }

// isTerminal tells whether people look at out.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func noColor(lookup func(string) (string, bool)) bool {
	value, _ := lookup("NO_COLOR")
	terminal, _ := lookup("TERM")
	return value != "" || terminal == "dumb"
}

// said prints what somebody says in a room.
func (p *printer) said(room, from, text string) {
	who := p.paint(cyan, "<"+visible(from)+">")
	p.lines(p.paint(green, "["+visible(room)+"]")+" "+who+" ", visible(text))
}

// event prints what happened in a room.
func (p *printer) event(room, format string, args ...any) {
	p.lines(p.paint(green, "["+visible(room)+"]")+" ", p.paint(yellow, "* "+visible(fmt.Sprintf(format, args...))))
}

// notice prints what the program itself has to tell.
func (p *printer) notice(format string, args ...any) {
	p.lines("", p.paint(yellow, "* "+visible(fmt.Sprintf(format, args...))))
}

// failure prints what went wrong.
func (p *printer) failure(format string, args ...any) {
	p.lines("", p.paint(red, "! "+visible(fmt.Sprintf(format, args...))))
}

// lines prints a text; its further lines are indented, so that nobody can make up a line of somebody else.
func (p *printer) lines(prefix, text string) {
	text = prefix + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprint(p.out, text)
}

func (p *printer) paint(color, text string) string {
	if !p.color {
		return text
	}
	return color + text + plain
}

// visible spells out what would make the terminal do something, or write in another direction, instead of showing a
// character. Line ends stay.
func visible(text string) string {
	var b strings.Builder
	for i, char := range text {
		switch {
		case char == '\n', char == '\t':
			b.WriteRune(char)
		case char == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsControl(char), unicode.Is(unicode.Bidi_Control, char):
			fmt.Fprintf(&b, `\u%04x`, char)
		default:
			b.WriteRune(char)
		}
	}
	return b.String()
}
