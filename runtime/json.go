package runtime

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxJSONDepth bounds how deep messages may stand in one another, both ways.
const maxJSONDepth = 100

var errJSONDepth = fmt.Errorf("messages stand in one another deeper than %d levels", maxJSONDepth)

// wellKnownPackage is whose messages are written and read as protojson does it: a Timestamp is a string.
const wellKnownPackage = "google.protobuf"

func isWellKnown(message protoreflect.MessageDescriptor) bool {
	return message.ParentFile().Package() == wellKnownPackage
}

// fieldError says which field an encoding stopped at.
type fieldError struct {
	path string // "options[2].label"
	err  error
}

func (e *fieldError) Error() string { return e.path + ": " + e.err.Error() }

// inField puts a field's name before the path of an error; a nil error stays nil.
func inField(name string, err error) error {
	if err == nil {
		return nil
	}
	inner, ok := errors.AsType[*fieldError](err)
	switch {
	case !ok:
		return &fieldError{path: name, err: err}
	case inner.path[0] == '[':
		return &fieldError{path: name + inner.path, err: inner.err}
	default:
		return &fieldError{path: name + "." + inner.path, err: inner.err}
	}
}

// inElement does it for an element of a list.
func inElement(index int, err error) error {
	if err == nil {
		return nil
	}
	return inField(fmt.Sprintf("[%d]", index), err)
}

// inEntry does it for an entry of a map.
func inEntry(key string, err error) error {
	if err == nil {
		return nil
	}
	return inField(fmt.Sprintf("[%q]", key), err)
}
