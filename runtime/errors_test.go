package runtime_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime"
)

func TestErrorsReadWell(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*runtime.Error{
		"Unavailable":             {Code: codes.Unavailable},
		"send":                    {Op: "send"},
		"the content is nil":      {Message: "the content is nil"},
		"Text: nil":               {Kind: "Text", Message: "nil"},
		`(room "r"): it is full`:  {RoomID: "r", Message: "it is full"},
		`join (room "r\n"): EOF`:  {Op: "join", RoomID: "r\n", Err: io.EOF},
		"send Text: nobody there": {Op: "send", Kind: "Text", Message: "nobody there", MessageID: "m1"},
		`send Text (room "r"): invalid content: text: too long; options[2].label: too short; odd: EOF`: {
			Op: "send", Kind: "Text", RoomID: "r", Message: "invalid content", Err: io.EOF,
			Violations: []runtime.Violation{
				{Path: "text", Reason: "too long", Cause: errors.New("a secret")},
				{Path: "options[2].label", Reason: "too short"},
				{Reason: "odd"},
			},
		},
	} {
		wantError(t, err, want)
	}
}

func TestGRPCSeesTheCodeOfAnError(t *testing.T) {
	t.Parallel()
	err := &runtime.Error{Op: "join", Code: codes.NotFound, Message: "no such room"}
	for _, each := range []error{err, fmt.Errorf("wrapped: %w", err)} {
		if got := status.Code(each); got != codes.NotFound {
			t.Errorf("%v: the code is %s", each, got)
		}
	}
	if got := status.Convert(err).Message(); got != "join: no such room" {
		t.Errorf("the status says %q", got)
	}
}

func TestAnErrorWithoutACodeIsNotOK(t *testing.T) {
	t.Parallel()
	if got := status.Code(&runtime.Error{Message: "oops"}); got != codes.Unknown {
		t.Errorf("the code is %s", got)
	}
}

func TestTheCauseOfAnErrorIsFound(t *testing.T) {
	t.Parallel()
	if err := (&runtime.Error{Err: io.EOF}); !errors.Is(err, io.EOF) {
		t.Error("errors.Is does not find the cause")
	}
}

func TestViolationsAreFoundHoweverOftenAnErrorWasWrapped(t *testing.T) {
	t.Parallel()
	want := []runtime.Violation{{Path: "text", Reason: "too long"}}
	inner := &runtime.Error{Violations: want}
	for _, err := range []error{
		inner,
		fmt.Errorf("wrapped: %w", inner),
		&runtime.Error{Op: "send", Err: inner},
		errors.Join(io.EOF, fmt.Errorf("wrapped: %w", &runtime.Error{Err: fmt.Errorf("again: %w", inner)})),
	} {
		if got := runtime.Violations(err); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: got %v", err, got)
		}
	}
	for _, err := range []error{nil, io.EOF, &runtime.Error{}, &runtime.Error{Err: io.EOF}} {
		if got := runtime.Violations(err); got != nil {
			t.Errorf("%v: got %v", err, got)
		}
	}
}
