package lock

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

const removedMark = "removed"

// Read reads the file. What is wrong with it goes to findings; the result is nil then.
func Read(path string, findings *diag.List) *Lock {
	content, err := os.ReadFile(path)
	pos := diag.Position{File: path}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		findings.Add(pos, diag.BadLock,
			"there is no such file in the folder where buf or protoc runs; write it there with `%s`, or remove the option lock",
			Command(path))
		return nil
	case err != nil:
		findings.Add(pos, diag.BadLock, "the lock cannot be read: %v", err)
		return nil
	}
	return Parse(path, string(content), findings)
}

// Parse reads the text of a file. What is wrong with it goes to findings; the result is nil then.
func Parse(path, text string, findings *diag.List) *Lock {
	parsed, wrong := &Lock{path: path, kinds: make(map[int32]Kind)}, false
	at := diag.Position{File: path, Column: 1}
	for line := range strings.Lines(text) {
		at.Line++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kind, ok := parseLine(line)
		kind.Pos = at
		other, twice := parsed.kinds[kind.Number]
		switch {
		case !ok:
			findings.Add(at, diag.BadLock,
				"%q is no line of a lock, as `1000 poll.v1.Poll proto both` is; if a merge left it, take out what is not a line, and then write the lock with `%s`",
				line, Command(path))
		case twice:
			findings.Add(at, diag.BadLock,
				"number %d stands in line %d too, for %s; if two branches took the same number, give one of the kinds another, and remove its line",
				kind.Number, other.Pos.Line, other.Message)
		default:
			parsed.kinds[kind.Number] = kind
			continue
		}
		wrong = true
	}
	if wrong {
		return nil
	}
	return parsed
}

func parseLine(line string) (Kind, bool) {
	words := strings.Fields(line)
	removed := len(words) == 5 && words[4] == removedMark
	if len(words) != 4 && !removed {
		return Kind{}, false
	}
	number, err := strconv.ParseInt(words[0], 10, 32)
	kind := Kind{
		Number:    int32(number),
		Message:   protoreflect.FullName(words[1]),
		Encoding:  words[2],
		Direction: words[3],
		Removed:   removed,
	}
	ok := err == nil && number > 0 && kind.Message.IsValid() &&
		isValue(imsdkv1.Encoding_value, "ENCODING_", kind.Encoding) &&
		isValue(imsdkv1.Direction_value, "DIRECTION_", kind.Direction)
	return kind, ok
}

// isValue tells whether an enum has a value of that name, apart from the one that says nothing.
func isValue(values map[string]int32, prefix, name string) bool {
	return strings.ToLower(name) == name && values[prefix+strings.ToUpper(name)] != 0
}
