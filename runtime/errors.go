package runtime

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is the one typed error of the SDK. status.Code and status.FromError see its code.
type Error struct {
	// Op is what was tried: "send", "join room", …. May be empty.
	Op string
	// Code says what sort of failure it is.
	Code codes.Code
	// Kind is the kind's name, if the failure has to do with one.
	Kind string
	// RoomID is the room, if there is one.
	RoomID string
	// MessageID is the message, if there is one.
	MessageID string
	// Message says what is wrong and what to do, for a person to read.
	Message string
	// Violations has every rule that the content breaks, if validation failed.
	Violations []Violation
	// Err is the cause, if there is one.
	Err error
}

// Violation is one rule that a content breaks. It never holds the value.
type Violation struct {
	// Path is the field in proto names: "text", "options[2].label", "labels[en].text". Of the content it holds no more
	// than the keys of maps.
	Path string
	// Reason is what the rule asks for.
	Reason string
	// Cause is what the validator was told by somebody else, such as a URL parser. It may quote the value; Error() of
	// neither the violation nor the [Error] prints it.
	Cause error
}

// String gives path and reason.
func (v Violation) String() string {
	if v.Path == "" {
		return v.Reason
	}
	return v.Path + ": " + v.Reason
}

// Error reads: send Text (room "r"): invalid content: text: value length must be ….
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Kind != "" {
		b.WriteString(" " + e.Kind)
	}
	if e.RoomID != "" {
		fmt.Fprintf(&b, " (room %q)", e.RoomID)
	}
	parts := make([]string, 0, 3)
	if prefix := strings.TrimSpace(b.String()); prefix != "" {
		parts = append(parts, prefix)
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if len(e.Violations) > 0 {
		violations := make([]string, len(e.Violations))
		for i, violation := range e.Violations {
			violations[i] = violation.String()
		}
		parts = append(parts, strings.Join(violations, "; "))
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if len(parts) == 0 {
		return e.Code.String()
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// GRPCStatus makes status.FromError and status.Code work. An error without a code counts as Unknown: no error is OK.
func (e *Error) GRPCStatus() *status.Status {
	code := e.Code
	if code == codes.OK {
		code = codes.Unknown
	}
	return status.New(code, e.Error())
}

// Violations gives the rules that a content breaks, if that is why err is there, however often it was wrapped. Nil
// otherwise.
func Violations(err error) []Violation {
	typed, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return nil
	case len(typed.Violations) > 0:
		return typed.Violations
	default:
		return Violations(typed.Err)
	}
}
