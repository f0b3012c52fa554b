package parse

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxExampleDepth is how deep an example goes into messages.
const maxExampleDepth = 3

// fillExample gives each field of a message a value, of a oneof the first one. It heeds no rules. within are the messages that
// this one is in: none of these is in it again.
func fillExample(message protoreflect.Message, within ...protoreflect.FullName) {
	within = append(within, message.Descriptor().FullName())
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if oneof := field.ContainingOneof(); oneof != nil && oneof.Fields().Get(0) != field {
			continue
		}
		if held := heldBy(field); held != nil && (len(within) > maxExampleDepth || slices.Contains(within, held.FullName())) {
			continue
		}
		switch {
		case field.IsMap():
			entries := message.Mutable(field).Map()
			entries.Set(exampleValue(field.MapKey(), nil, within).MapKey(), exampleValue(field.MapValue(), entries.NewValue, within))
		case field.IsList():
			list := message.Mutable(field).List()
			list.Append(exampleValue(field, list.NewElement, within))
		default:
			message.Set(field, exampleValue(field, func() protoreflect.Value { return message.NewField(field) }, within))
		}
	}
}

// heldBy is the message that a field, a list's element or a map's value is, or nil.
func heldBy(field protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if field.IsMap() {
		return field.MapValue().Message()
	}
	return field.Message()
}

// exampleValue gives one value; empty makes that of a message.
func exampleValue(
	field protoreflect.FieldDescriptor, empty func() protoreflect.Value, within []protoreflect.FullName,
) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(1)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(1)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(1)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(1.5)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(1.5)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(field.Name()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(field.Name()))
	case protoreflect.EnumKind:
		values := field.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(min(1, values.Len()-1)).Number())
	default:
		value := empty()
		// An empty one of google.protobuf's own means something, but for Value.
		if desc := field.Message(); desc.ParentFile().Package() != "google.protobuf" || desc.Name() == "Value" {
			fillExample(value.Message(), within...)
		}
		return value
	}
}
