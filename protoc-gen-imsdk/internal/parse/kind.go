package parse

import (
	"math"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// The numbers of the annotation's fields, for positions.
const (
	typeField      = 1
	directionField = 2
	encodingField  = 3
	maxBytesField  = 4
)

// kind reads a message's annotation, if it has one.
func (r *reader) kind(message, parent *protogen.Message) {
	annotation, ok := kindOf(message)
	if !ok {
		return
	}
	if r.file.Generate {
		r.run.annotated[message.Desc.FullName()] = true
	}
	if !r.topLevel(message, parent) {
		return
	}
	r.annotation(message, annotation)
	if annotation.GetEncoding() == imsdkv1.Encoding_ENCODING_RAW {
		r.raw(message)
	}
	value := r.typeOf(message, annotation)
	if value == nil {
		return
	}
	comment, deprecated := comments(r.file, message, value)
	r.run.kinds = append(r.run.kinds, &kind{
		Kind: &model.Kind{
			Names:      model.NamesOf(message.GoIdent.GoName),
			Number:     int32(value.Desc.Number()),
			Value:      model.GoName{Package: goPackage(value.enum.file), Name: value.GoIdent.GoName},
			ValueName:  value.Desc.FullName(),
			Content:    model.GoName{Package: goPackage(r.file), Name: message.GoIdent.GoName},
			Message:    message.Desc.FullName(),
			Direction:  direction(annotation),
			Encoding:   encoding(annotation),
			MaxBytes:   annotation.GetMaxBytes(),
			Comment:    comment,
			Deprecated: deprecated,
		},
		file:    r.file,
		message: message,
		pos:     kindPosition(message, typeField),
	})
}

func kindOf(message *protogen.Message) (*imsdkv1.Kind, bool) {
	options := message.Desc.Options()
	if !proto.HasExtension(options, imsdkv1.E_Kind) {
		return nil, false
	}
	annotation, ok := proto.GetExtension(options, imsdkv1.E_Kind).(*imsdkv1.Kind)
	return annotation, ok
}

func direction(annotation *imsdkv1.Kind) imsdkv1.Direction {
	if direction := annotation.GetDirection(); direction != imsdkv1.Direction_DIRECTION_UNSPECIFIED {
		return direction
	}
	return imsdkv1.Direction_DIRECTION_BOTH
}

func encoding(annotation *imsdkv1.Kind) imsdkv1.Encoding {
	if encoding := annotation.GetEncoding(); encoding != imsdkv1.Encoding_ENCODING_UNSPECIFIED {
		return encoding
	}
	return imsdkv1.Encoding_ENCODING_PROTO
}

// topLevel reports a kind that cannot be one because of where the message stands.
func (r *reader) topLevel(message, parent *protogen.Message) bool {
	switch {
	case parent == nil:
		return true
	case message.Desc.IsMapEntry():
		r.findings.Add(kindPosition(message), diag.NotTopLevel,
			"message %s: the entry of a map cannot be a kind; remove the option kind", message.Desc.FullName())
	default:
		r.findings.Add(kindPosition(message), diag.NotTopLevel,
			"message %s: a nested message cannot be a kind; move it out of %s, or remove the option kind",
			message.Desc.FullName(), parent.Desc.Name())
	}
	return false
}

// annotation reports values and fields that this plugin does not know.
func (r *reader) annotation(message *protogen.Message, annotation *imsdkv1.Kind) {
	knownFields(r.findings, message.Desc, kindPosition(message), annotation)
	if _, ok := imsdkv1.Direction_name[int32(annotation.GetDirection())]; !ok {
		r.findings.Add(kindPosition(message, directionField), diag.BadAnnotation,
			"message %s: there is no direction %d; write DIRECTION_CLIENT, DIRECTION_SERVER or DIRECTION_BOTH",
			message.Desc.FullName(), annotation.GetDirection())
	}
	if _, ok := imsdkv1.Encoding_name[int32(annotation.GetEncoding())]; !ok {
		r.findings.Add(kindPosition(message, encodingField), diag.BadAnnotation,
			"message %s: there is no encoding %d; write ENCODING_PROTO, ENCODING_RAW or ENCODING_JSON",
			message.Desc.FullName(), annotation.GetEncoding())
	}
	if annotation.GetMaxBytes() > math.MaxInt32 {
		r.findings.Add(kindPosition(message, maxBytesField), diag.BadAnnotation,
			"message %s: max_bytes is %d; at most %d can be (0 means no limit)",
			message.Desc.FullName(), annotation.GetMaxBytes(), math.MaxInt32)
	}
}

// knownFields reports an annotation with fields that a newer options.proto has.
func knownFields(findings *diag.List, desc protoreflect.Descriptor, pos diag.Position, annotation proto.Message) {
	if len(annotation.ProtoReflect().GetUnknown()) > 0 {
		findings.Add(pos, diag.BadAnnotation,
			"%s: the annotation has a field that this protoc-gen-imsdk does not know; use the plugin of the same release as imsdk/v1/options.proto",
			desc.FullName())
	}
}

// raw reports a message that has no single value to send without framing.
func (r *reader) raw(message *protogen.Message) {
	fields := message.Fields
	if len(fields) == 1 && isRaw(fields[0].Desc) {
		return
	}
	r.findings.Add(kindPosition(message, encodingField), diag.NotRaw,
		"message %s: ENCODING_RAW sends the value of the only field, which must be one string or bytes; it has %s; write ENCODING_PROTO or ENCODING_JSON",
		message.Desc.FullName(), describe(fields))
}

// isRaw tells whether a field's value says all about the field. That of an optional field or of a oneof's does not: empty is
// not unset there. Where proto2 and editions leave no other choice, unset is taken as empty.
func isRaw(field protoreflect.FieldDescriptor) bool {
	isBytes := field.Kind() == protoreflect.StringKind || field.Kind() == protoreflect.BytesKind
	return isBytes && field.Cardinality() != protoreflect.Repeated && !inOneof(field) && !isOptional(field)
}

func inOneof(field protoreflect.FieldDescriptor) bool {
	oneof := field.ContainingOneof()
	return oneof != nil && !oneof.IsSynthetic()
}

// isOptional tells whether proto3's optional stands before a field.
func isOptional(field protoreflect.FieldDescriptor) bool {
	return field.HasOptionalKeyword() && field.ParentFile().Syntax() == protoreflect.Proto3
}
