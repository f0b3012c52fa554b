package parse

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// document adds to a kind what the catalogue tells of it.
func document(kind *kind) {
	kind.Documented = documented(kind.message, nil)
	kind.Example = example(kind)
}

// example gives a content in proto JSON. It is empty for a message that JSON does not know, such as an Any without a type.
func example(kind *kind) string {
	content := dynamicpb.NewMessage(kind.message.Desc)
	fillExample(content)
	raw, err := protojson.Marshal(content)
	if err != nil {
		return ""
	}
	var indented bytes.Buffer // protojson's own spaces are not the same from build to build
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		return ""
	}
	return indented.String()
}

// documented adds a message and what its fields hold, each once, but for google.protobuf's own messages.
func documented(message *protogen.Message, to []model.Documented) []model.Documented {
	for _, each := range to {
		if each.Message == message.Desc.FullName() {
			return to
		}
	}
	entry := model.Documented{Message: message.Desc.FullName()}
	for _, field := range message.Fields {
		entry.Fields = append(entry.Fields, model.DocumentedField{
			Name: string(field.Desc.Name()), JSON: field.Desc.JSONName(), Type: typeInWords(field.Desc),
			Rules: rulesInWords(field.Desc), Comment: lines(field.Comments.Leading),
		})
	}
	to = append(to, entry)
	for _, field := range message.Fields {
		held := field.Message
		if held != nil && held.Desc.IsMapEntry() {
			held = held.Fields[1].Message
		}
		if held != nil && held.Desc.ParentFile().Package() != "google.protobuf" {
			to = documented(held, to)
		}
	}
	return to
}

func typeInWords(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsMap():
		return "map of " + typeInWords(field.MapKey()) + " to " + typeInWords(field.MapValue())
	case field.IsList():
		return "list of " + valueInWords(field)
	case field.HasOptionalKeyword():
		return "optional " + valueInWords(field)
	case inOneof(field):
		return valueInWords(field) + ", one of " + string(field.ContainingOneof().Name())
	default:
		return valueInWords(field)
	}
}

func valueInWords(field protoreflect.FieldDescriptor) string {
	switch {
	case field.Message() != nil:
		return string(field.Message().FullName())
	case field.Enum() != nil:
		return string(field.Enum().FullName())
	default:
		return field.Kind().String()
	}
}
