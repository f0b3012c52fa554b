package runtime

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unmarshalJSON reads what any peer may have written: it is as lenient as docs/protocol.md says. Nothing at all and
// null are an empty message. Its errors name the field and never quote the value.
func unmarshalJSON(raw []byte, content proto.Message) error {
	r := &jsonReader{data: raw}
	if r.space(); r.at == len(raw) {
		return nil
	}
	if !json.Valid(raw) { // from here on, no syntax is checked
		return fmt.Errorf("not JSON: %w", json.Unmarshal(raw, new(json.RawMessage)))
	}
	if r.peek() == 'n' {
		return nil
	}
	return r.message(content.ProtoReflect(), 1)
}

func (r *jsonReader) message(m protoreflect.Message, depth int) error {
	if depth > maxJSONDepth {
		return errJSONDepth
	}
	if isWellKnown(m.Descriptor()) {
		options := protojson.UnmarshalOptions{DiscardUnknown: true}
		if options.Unmarshal(r.skip(), m.Interface()) != nil { // the error would quote the value
			return fmt.Errorf("not a valid %s", m.Descriptor().FullName())
		}
		return nil
	}
	fields := m.Descriptor().Fields()
	return r.object(func(key string) error {
		field := fieldOf(fields, key)
		if field == nil || r.peek() == 'n' && !hasNull(field) {
			r.skip()
			return nil
		}
		value, err := r.field(m.NewField(field), field, depth)
		if err != nil {
			return inField(string(field.Name()), err)
		}
		m.Set(field, value)
		return nil
	})
}

// hasNull tells whether null is a value of the field, and not the same as a missing key.
func hasNull(field protoreflect.FieldDescriptor) bool {
	return field.Cardinality() != protoreflect.Repeated && isNullable(field)
}

// isNullable tells it of one value of the field, an element of a list too.
func isNullable(field protoreflect.FieldDescriptor) bool {
	return field.Message() != nil && field.Message().FullName() == "google.protobuf.Value"
}

// field reads into value, or gives another one.
func (r *jsonReader) field(
	value protoreflect.Value, field protoreflect.FieldDescriptor, depth int,
) (protoreflect.Value, error) {
	switch {
	case field.IsList():
		return value, r.list(value.List(), field, depth)
	case field.IsMap():
		return value, r.entries(value.Map(), field, depth)
	default:
		return r.value(value, field, depth)
	}
}

func (r *jsonReader) list(list protoreflect.List, field protoreflect.FieldDescriptor, depth int) error {
	return r.array(func(index int) error {
		value, err := r.value(list.NewElement(), field, depth)
		if err != nil {
			return inElement(index, err)
		}
		list.Append(value)
		return nil
	})
}

func (r *jsonReader) entries(entries protoreflect.Map, field protoreflect.FieldDescriptor, depth int) error {
	return r.object(func(text string) error {
		key, err := mapKey(field.MapKey(), text)
		if err != nil {
			return inEntry(text, err)
		}
		value, err := r.value(entries.NewValue(), field.MapValue(), depth)
		if err != nil {
			return inEntry(text, err)
		}
		entries.Set(key, value)
		return nil
	})
}

// value reads one value that is neither list nor map. A null gives the zero value, as in encoding/json: a list's other
// elements keep their places.
func (r *jsonReader) value(
	zero protoreflect.Value, field protoreflect.FieldDescriptor, depth int,
) (protoreflect.Value, error) {
	switch {
	case r.peek() == 'n' && !isNullable(field):
		r.skip()
		return zero, nil
	case field.Message() != nil:
		return zero, r.message(zero.Message(), depth+1)
	default:
		return r.scalar(field)
	}
}

// fieldOf finds a field by its json_name, its proto name or the lowerCamel form of that, in this order: another field's
// json_name wins over a proto name.
func fieldOf(fields protoreflect.FieldDescriptors, key string) protoreflect.FieldDescriptor {
	if field := fields.ByJSONName(key); field != nil {
		return field
	}
	if field := fields.ByTextName(key); field != nil {
		return field
	}
	for i := range fields.Len() {
		if field := fields.Get(i); isLowerCamel(key, string(field.Name())) {
			return field
		}
	}
	return nil
}

// isLowerCamel tells whether camel is the lowerCamel form of a proto name: without underscores, and a letter after one
// is upper case.
func isLowerCamel(camel, name string) bool {
	at, upper := 0, false
	for i := range len(name) {
		char := name[i]
		if char == '_' {
			upper = true
			continue
		}
		if upper && 'a' <= char && char <= 'z' {
			char -= 'a' - 'A'
		}
		upper = false
		if at == len(camel) || camel[at] != char {
			return false
		}
		at++
	}
	return at == len(camel)
}
