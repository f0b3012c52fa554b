package lock

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// DefaultPath is where the lock lies if nobody says otherwise.
const DefaultPath = "imsdk.lock"

const header = `# The kinds of these protos: number, message, encoding, direction. Programs in use know them as they stand here;
# protoc-gen-imsdk (option lock) refuses protos that say otherwise. A kind that is gone stays, as removed: its number is
# not used again. Commit this file, and do not edit it. Written by: buf build -o - | protoc-gen-imsdk lock
`

// Kind is one line.
type Kind struct {
	// Number is the kind's, and Message its content.
	Number  int32
	Message protoreflect.FullName
	// Encoding and Direction are as in the proto, without prefix and in lower case.
	Encoding, Direction string
	// Removed tells that no message has the number any more.
	Removed bool
	// Pos is where the line stands.
	Pos diag.Position
}

// KindOf is the line of a kind.
func KindOf(kind *model.Kind) Kind {
	return Kind{
		Number:    kind.Number,
		Message:   kind.Message,
		Encoding:  strings.ToLower(strings.TrimPrefix(kind.Encoding.String(), "ENCODING_")),
		Direction: strings.ToLower(strings.TrimPrefix(kind.Direction.String(), "DIRECTION_")),
	}
}

// String is the line without its end.
func (k Kind) String() string {
	line := fmt.Sprintf("%d %s %s %s", k.Number, k.Message, k.Encoding, k.Direction)
	if k.Removed {
		line += " " + removedMark
	}
	return line
}

// Lock is what the file says. It does not change.
type Lock struct {
	path  string
	kinds map[int32]Kind
}

// Path is the file.
func (l *Lock) Path() string { return l.path }

// Number gives the line of a number.
func (l *Lock) Number(number int32) (Kind, bool) {
	kind, ok := l.kinds[number]
	return kind, ok
}

// Message gives the line of a message that is not removed.
func (l *Lock) Message(name protoreflect.FullName) (Kind, bool) {
	for _, kind := range l.kinds {
		if kind.Message == name && !kind.Removed {
			return kind, true
		}
	}
	return Kind{}, false
}

// Kinds are all lines by number.
func (l *Lock) Kinds() []Kind {
	return slices.SortedFunc(maps.Values(l.kinds), func(a, b Kind) int { return cmp.Compare(a.Number, b.Number) })
}

// With gives the lock of these kinds. Those that it had and that are not among them are removed.
func (l *Lock) With(kinds []*model.Kind) *Lock {
	next := &Lock{path: l.path, kinds: make(map[int32]Kind)}
	for number, kind := range l.kinds {
		kind.Removed = true
		next.kinds[number] = kind
	}
	for _, kind := range kinds {
		next.kinds[kind.Number] = KindOf(kind)
	}
	return next
}

// Text is the file.
func (l *Lock) Text() string {
	var text strings.Builder
	text.WriteString(header)
	for _, kind := range l.Kinds() {
		fmt.Fprintln(&text, kind)
	}
	return text.String()
}

// Command writes the lock anew.
func Command(path string) string {
	command := "buf build -o - | protoc-gen-imsdk lock"
	if path != DefaultPath {
		command += " -o " + path
	}
	return command
}
