package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Encoding says how a content becomes bytes. docs/protocol.md has the exact bytes.
type Encoding uint8

const (
	// EncodingProto is protobuf's binary encoding, the default.
	EncodingProto Encoding = iota
	// EncodingRaw is the value of the message's only field, a string or bytes, without framing.
	EncodingRaw
	// EncodingJSON is JSON with the fields' json_name as keys, no spaces, zero values left out, int64 as numbers.
	EncodingJSON
)

// String gives the encoding's name.
func (e Encoding) String() string {
	switch e {
	case EncodingProto:
		return "proto"
	case EncodingRaw:
		return "raw"
	case EncodingJSON:
		return "json"
	default:
		return fmt.Sprintf("Encoding(%d)", uint8(e))
	}
}

var errUTF8 = errors.New("invalid UTF-8")

func (e Encoding) marshal(content proto.Message) ([]byte, error) {
	switch e {
	case EncodingProto:
		return proto.Marshal(content)
	case EncodingRaw:
		return marshalRaw(content.ProtoReflect())
	case EncodingJSON:
		return marshalJSON(content)
	default:
		return nil, fmt.Errorf("unknown encoding %s", e)
	}
}

func (e Encoding) unmarshal(raw []byte, content proto.Message) error {
	switch e {
	case EncodingProto:
		return proto.Unmarshal(raw, content)
	case EncodingRaw:
		return unmarshalRaw(raw, content.ProtoReflect())
	case EncodingJSON:
		return unmarshalJSON(raw, content)
	default:
		return fmt.Errorf("unknown encoding %s", e)
	}
}

// rawField is the only field of a message in EncodingRaw. The generator sees to it; a kind made by hand may be wrong.
func rawField(message protoreflect.MessageDescriptor) (protoreflect.FieldDescriptor, error) {
	if fields := message.Fields(); fields.Len() == 1 && fields.Get(0).Cardinality() != protoreflect.Repeated {
		switch field := fields.Get(0); field.Kind() { //nolint:exhaustive // the rest is the error below
		case protoreflect.StringKind, protoreflect.BytesKind:
			return field, nil
		}
	}
	return nil, fmt.Errorf("%s cannot be raw: that takes one field, a string or bytes", message.FullName())
}

func marshalRaw(m protoreflect.Message) ([]byte, error) {
	field, err := rawField(m.Descriptor())
	if err != nil {
		return nil, err
	}
	if field.Kind() == protoreflect.BytesKind {
		return bytes.Clone(m.Get(field).Bytes()), nil
	}
	text := m.Get(field).String()
	if !utf8.ValidString(text) {
		return nil, inField(string(field.Name()), errUTF8)
	}
	return []byte(text), nil
}

func unmarshalRaw(raw []byte, m protoreflect.Message) error {
	field, err := rawField(m.Descriptor())
	if err != nil || len(raw) == 0 {
		return err
	}
	if field.Kind() == protoreflect.BytesKind {
		m.Set(field, protoreflect.ValueOfBytes(bytes.Clone(raw)))
		return nil
	}
	if !utf8.Valid(raw) {
		return inField(string(field.Name()), errUTF8)
	}
	m.Set(field, protoreflect.ValueOfString(string(raw)))
	return nil
}
