package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Position is a place in a proto file. The zero value is no place: the finding is about the run.
type Position struct {
	// File is the path as protos import it.
	File string
	// Line and Column count from 1; 0 means that the compiler did not tell.
	Line, Column int
}

// String gives file:line:col, as editors read it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Diagnostic is one finding.
type Diagnostic struct {
	// Pos is where.
	Pos Position
	// Code is the rule.
	Code Code
	// Message says what is wrong and what to write instead.
	Message string
}

// Error gives place, code and message in one line.
func (d *Diagnostic) Error() string {
	if d.Pos.File == "" {
		return fmt.Sprintf("%s: %s", d.Code, d.Message)
	}
	return fmt.Sprintf("%s: %s: %s", d.Pos, d.Code, d.Message)
}

// List collects findings. The zero value is empty. Not safe for concurrent use.
type List struct {
	found []*Diagnostic
}

// Add takes one more.
func (l *List) Add(pos Position, code Code, format string, args ...any) {
	l.found = append(l.found, &Diagnostic{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...)})
}

// Err is all findings in one error, one a line, in the order of file and place; nil if there is none.
func (l *List) Err() error {
	sorted := slices.Clone(l.found)
	slices.SortStableFunc(sorted, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Code, b.Code),
		)
	})
	errs := make([]error, len(sorted))
	for i, each := range sorted {
		errs[i] = each
	}
	return errors.Join(errs...)
}
