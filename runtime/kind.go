package runtime

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Direction says which side sends a kind.
type Direction uint8

const (
	// DirectionBoth is the default: clients send it to a room and receive it from one, the server may publish it.
	DirectionBoth Direction = iota
	// DirectionClient is for what clients send to the server, which handles it in a hook and hands it to nobody.
	DirectionClient
	// DirectionServer is for what only the server sends.
	DirectionServer
)

// String gives the direction's name as the annotation spells it.
func (d Direction) String() string {
	switch d {
	case DirectionBoth:
		return "both"
	case DirectionClient:
		return "client"
	case DirectionServer:
		return "server"
	default:
		return fmt.Sprintf("Direction(%d)", uint8(d))
	}
}

// Kind describes one kind of message. Generated code makes it with [NewKind]; it does not change after that.
type Kind struct {
	// Number is the envelope's type.
	Number int32
	// Name is the kind's name in Go, "Text", as in SendText.
	Name string
	// Direction says which side sends it.
	Direction Direction
	// Encoding says how the content becomes bytes.
	Encoding Encoding
	// MaxBytes bounds the encoded content; 0 means no bound but the transport's.
	MaxBytes int

	newContent func() proto.Message
	holds      func(proto.Message) bool
	validate   func(proto.Message) error
	fields     FieldNames
}

// String gives the kind's name and number, for messages that people read.
func (k *Kind) String() string { return fmt.Sprintf("%s (%d)", k.Name, k.Number) }

// New gives an empty content.
func (k *Kind) New() proto.Message { return k.newContent() }

// Message is the full name of the content's message.
func (k *Kind) Message() protoreflect.FullName {
	return k.newContent().ProtoReflect().Descriptor().FullName()
}

// Check says what is wrong with a content: an [*Error] with code InvalidArgument and all violations, or nil. A kind
// that was generated with validate=none finds nothing but a nil content or another kind's.
func (k *Kind) Check(content proto.Message) error {
	if err := k.checkType(content); err != nil {
		return err
	}
	if k.validate == nil {
		return nil
	}
	if err := k.validate(content); err != nil {
		return &Error{
			Code:       codes.InvalidArgument,
			Kind:       k.Name,
			Message:    "invalid content",
			Violations: violationsOf(err, content.ProtoReflect().Descriptor(), k.fields),
		}
	}
	return nil
}

// Encode turns a content into bytes without checking its rules. It fails on a nil content, on another kind's, on one
// larger than MaxBytes and on one that the encoding cannot carry, with an [*Error] of code InvalidArgument. The bytes
// share nothing with the content.
func (k *Kind) Encode(content proto.Message) ([]byte, error) {
	if err := k.checkType(content); err != nil {
		return nil, err
	}
	raw, err := k.Encoding.marshal(content)
	if err != nil {
		return nil, &Error{Code: codes.InvalidArgument, Kind: k.Name, Message: "the content cannot be encoded", Err: err}
	}
	if err := k.checkSize(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// Decode turns bytes into a content without checking its rules. Empty bytes are an empty message. It fails with an
// [*Error] of code InvalidArgument. The content shares nothing with the bytes.
func (k *Kind) Decode(raw []byte) (proto.Message, error) {
	if err := k.checkSize(raw); err != nil {
		return nil, err
	}
	content := k.newContent()
	if err := k.Encoding.unmarshal(raw, content); err != nil {
		return nil, &Error{Code: codes.InvalidArgument, Kind: k.Name, Message: "the content does not parse", Err: err}
	}
	return content, nil
}

// checkType finds nil, a nil pointer within the interface, and what an interceptor mixed up.
func (k *Kind) checkType(content proto.Message) error {
	switch {
	case content == nil || !content.ProtoReflect().IsValid():
		return &Error{Code: codes.InvalidArgument, Kind: k.Name, Message: "the content is nil"}
	case !k.holds(content):
		return &Error{
			Code: codes.InvalidArgument, Kind: k.Name,
			Message: fmt.Sprintf("the content is a %T, not a %T", content, k.newContent()),
		}
	default:
		return nil
	}
}

func (k *Kind) checkSize(raw []byte) error {
	if k.MaxBytes > 0 && len(raw) > k.MaxBytes {
		return &Error{
			Code: codes.InvalidArgument, Kind: k.Name,
			Message: fmt.Sprintf("the content has %d bytes, %d are allowed", len(raw), k.MaxBytes),
		}
	}
	return nil
}

// KindSpec is what generated code tells of a kind whose content is a T.
type KindSpec[T proto.Message] struct {
	// Number, Name, Direction, Encoding and MaxBytes are those of [Kind].
	Number    int32
	Name      string
	Direction Direction
	Encoding  Encoding
	MaxBytes  int
	// New gives an empty content.
	New func() T
	// Validate says what is wrong with a content. Nil: nothing is ever wrong.
	Validate func(T) error
	// Fields translates the Go names that a validator reports. Nil: it reports proto names.
	Fields FieldNames
}

// TypedKind is a [Kind] whose content is a T.
type TypedKind[T proto.Message] struct{ Kind }

// NewKind makes a kind.
func NewKind[T proto.Message](spec KindSpec[T]) *TypedKind[T] {
	kind := &TypedKind[T]{Kind{
		Number:     spec.Number,
		Name:       spec.Name,
		Direction:  spec.Direction,
		Encoding:   spec.Encoding,
		MaxBytes:   spec.MaxBytes,
		newContent: func() proto.Message { return spec.New() },
		holds: func(content proto.Message) bool {
			_, ok := content.(T)
			return ok
		},
		fields: spec.Fields,
	}}
	if spec.Validate != nil {
		kind.validate = func(content proto.Message) error {
			return spec.Validate(content.(T)) //nolint:forcetypeassert // holds has been asked
		}
	}
	return kind
}
