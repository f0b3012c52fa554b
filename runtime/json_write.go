package runtime

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var errNotFinite = errors.New("JSON has no NaN and no infinity")

// marshalJSON writes what deployed peers read with encoding/json into plain structs: json_name as keys, in the order of
// declaration, no spaces, int64 and enums as numbers, zero values left out.
func marshalJSON(content proto.Message) ([]byte, error) {
	return appendMessage(nil, content.ProtoReflect(), 1)
}

func appendMessage(to []byte, m protoreflect.Message, depth int) ([]byte, error) {
	if depth > maxJSONDepth {
		return nil, errJSONDepth
	}
	if isWellKnown(m.Descriptor()) {
		return appendWellKnown(to, m)
	}
	to = append(to, '{')
	fields := m.Descriptor().Fields()
	for i, first := 0, true; i < fields.Len(); i++ {
		field := fields.Get(i)
		if !m.Has(field) {
			continue
		}
		if !first {
			to = append(to, ',')
		}
		first = false
		var err error
		if to, err = appendString(to, field.JSONName()); err == nil {
			to, err = appendField(append(to, ':'), field, m.Get(field), depth)
		}
		if err != nil {
			return nil, inField(string(field.Name()), err)
		}
	}
	return append(to, '}'), nil
}

// appendWellKnown takes the spaces out of what protojson gives: it varies them on purpose.
func appendWellKnown(to []byte, m protoreflect.Message) ([]byte, error) {
	raw, err := protojson.Marshal(m.Interface())
	if err != nil {
		return nil, fmt.Errorf("cannot write a %s: %w", m.Descriptor().FullName(), err)
	}
	buffer := bytes.NewBuffer(to)
	if err := json.Compact(buffer, raw); err != nil {
		return nil, fmt.Errorf("cannot write a %s: %w", m.Descriptor().FullName(), err)
	}
	return buffer.Bytes(), nil
}

func appendField(
	to []byte, field protoreflect.FieldDescriptor, value protoreflect.Value, depth int,
) ([]byte, error) {
	switch {
	case field.IsList():
		return appendList(to, field, value.List(), depth)
	case field.IsMap():
		return appendMap(to, field.MapValue(), value.Map(), depth)
	default:
		return appendValue(to, field, value, depth)
	}
}

func appendList(
	to []byte, field protoreflect.FieldDescriptor, list protoreflect.List, depth int,
) ([]byte, error) {
	to = append(to, '[')
	for i := range list.Len() {
		if i > 0 {
			to = append(to, ',')
		}
		var err error
		if to, err = appendValue(to, field, list.Get(i), depth); err != nil {
			return nil, inElement(i, err)
		}
	}
	return append(to, ']'), nil
}

// appendMap sorts by the keys as they are written, so that equal contents give equal bytes.
func appendMap(
	to []byte, field protoreflect.FieldDescriptor, entries protoreflect.Map, depth int,
) ([]byte, error) {
	type entry struct {
		key   string
		value protoreflect.Value
	}
	sorted := make([]entry, 0, entries.Len())
	for key, value := range entries.Range {
		sorted = append(sorted, entry{key.String(), value})
	}
	slices.SortFunc(sorted, func(a, b entry) int { return strings.Compare(a.key, b.key) })

	to = append(to, '{')
	for i, entry := range sorted {
		if i > 0 {
			to = append(to, ',')
		}
		var err error
		if to, err = appendString(to, entry.key); err == nil {
			to, err = appendValue(append(to, ':'), field, entry.value, depth)
		}
		if err != nil {
			return nil, inEntry(entry.key, err)
		}
	}
	return append(to, '}'), nil
}

func appendValue(
	to []byte, field protoreflect.FieldDescriptor, value protoreflect.Value, depth int,
) ([]byte, error) {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return appendMessage(to, value.Message(), depth+1)
	case protoreflect.StringKind:
		return appendString(to, value.String())
	case protoreflect.BytesKind:
		to = append(to, '"')
		return append(base64.StdEncoding.AppendEncode(to, value.Bytes()), '"'), nil
	case protoreflect.BoolKind:
		return strconv.AppendBool(to, value.Bool()), nil
	case protoreflect.EnumKind:
		return strconv.AppendInt(to, int64(value.Enum()), 10), nil
	case protoreflect.FloatKind:
		return appendFloat(to, value.Float(), 32)
	case protoreflect.DoubleKind:
		return appendFloat(to, value.Float(), 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(to, value.Uint(), 10), nil
	default: // the signed integers
		return strconv.AppendInt(to, value.Int(), 10), nil
	}
}

// appendFloat writes the shortest number that reads back the same, in the form that encoding/json gives it: with an
// exponent only where it is very large or very small, as 1e-7 and not as 1e-07.
func appendFloat(to []byte, number float64, bits int) ([]byte, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, errNotFinite
	}
	size := math.Abs(number)
	small, large := size < 1e-6, size >= 1e21
	if bits == 32 {
		small, large = float32(size) < 1e-6, float32(size) >= 1e21
	}
	if size == 0 || !small && !large {
		return strconv.AppendFloat(to, number, 'f', -1, bits), nil
	}
	to = strconv.AppendFloat(to, number, 'e', -1, bits)
	if n := len(to); n >= 4 && string(to[n-4:n-1]) == "e-0" {
		to[n-2] = to[n-1]
		to = to[:n-1]
	}
	return to, nil
}

const hexDigits = "0123456789abcdef"

// appendString escapes what encoding/json escapes when its HTML escaping is off: <, > and & stay.
func appendString(to []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, errUTF8
	}
	to = append(to, '"')
	from := 0
	for i := 0; i < len(text); i++ {
		length := 1
		switch char := text[i]; {
		case char == 0xe2 && (strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029")):
			length = 3
		case char >= ' ' && char != '"' && char != '\\':
			continue
		}
		to = append(to, text[from:i]...)
		to = appendEscape(to, text[i:i+length])
		i += length - 1
		from = i + 1
	}
	return append(append(to, text[from:]...), '"'), nil
}

func appendEscape(to []byte, char string) []byte {
	switch char {
	case `"`, `\`:
		return append(to, '\\', char[0])
	case "\b":
		return append(to, '\\', 'b')
	case "\f":
		return append(to, '\\', 'f')
	case "\n":
		return append(to, '\\', 'n')
	case "\r":
		return append(to, '\\', 'r')
	case "\t":
		return append(to, '\\', 't')
	case "\u2028":
		return append(to, `\u2028`...)
	case "\u2029":
		return append(to, `\u2029`...)
	default: // a control character
		return append(to, '\\', 'u', '0', '0', hexDigits[char[0]>>4], hexDigits[char[0]&0xf])
	}
}
