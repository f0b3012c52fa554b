package parse

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/envoyproxy/protoc-gen-validate/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// rulesInWords are protoc-gen-validate's rules of a field, empty if there are none: "at least 1 bytes, at most 65536
// bytes".
func rulesInWords(field protoreflect.FieldDescriptor) string {
	rules, ok := proto.GetExtension(field.Options(), validate.E_Rules).(*validate.FieldRules)
	if !ok || rules == nil {
		return ""
	}
	return strings.Join(ruleWords(rules.ProtoReflect()), ", ")
}

// rulePhrases are rules that read better than by their names.
var rulePhrases = map[protoreflect.Name]string{ //nolint:gochecknoglobals // a constant, which Go has no maps for
	"const": "exactly %s", "len": "exactly %s characters", "len_bytes": "exactly %s bytes",
	"min_len": "at least %s characters", "max_len": "at most %s characters",
	"min_bytes": "at least %s bytes", "max_bytes": "at most %s bytes",
	"min_items": "at least %s items", "max_items": "at most %s items",
	"min_pairs": "at least %s pairs", "max_pairs": "at most %s pairs",
	"gte": "at least %s", "gt": "more than %s", "lte": "at most %s", "lt": "less than %s",
	"in": "one of %s", "not_in": "none of %s", "pattern": "matches %s", "prefix": "starts with %s", "suffix": "ends with %s",
	"items": "each %s", "keys": "keys %s", "values": "values %s", "within": "within %s of now",
}

// phrase says a rule of a name in words, with what it asks for.
func phrase(name protoreflect.Name, asked string) string {
	if known, ok := rulePhrases[name]; ok {
		return fmt.Sprintf(known, asked)
	}
	return strings.ReplaceAll(string(name), "_", " ") + " " + asked
}

// ruleWords gives the rules of a message of validate.proto, as they are declared.
func ruleWords(rules protoreflect.Message) []string {
	var words []string
	fields := rules.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if !rules.Has(field) {
			continue
		}
		switch value := rules.Get(field); {
		case field.IsList():
			words = append(words, phrase(field.Name(), listWords(field, value.List())))
		case field.Message() != nil:
			words = append(words, nestedWords(field.Name(), value.Message())...)
		case field.Kind() != protoreflect.BoolKind || field.Name() == "const":
			words = append(words, phrase(field.Name(), scalarWord(field, value)))
		case value.Bool():
			words = append(words, strings.ReplaceAll(string(field.Name()), "_", " "))
		default:
			words = append(words, "not "+strings.ReplaceAll(string(field.Name()), "_", " "))
		}
	}
	return words
}

// nestedWords are rules of elements, keys and values, the rules of one type, or a duration or time.
func nestedWords(name protoreflect.Name, value protoreflect.Message) []string {
	switch known := value.Interface().(type) {
	case *durationpb.Duration:
		return []string{phrase(name, known.AsDuration().String())}
	case *timestamppb.Timestamp:
		return []string{phrase(name, known.AsTime().Format(time.RFC3339Nano))}
	case *validate.FieldRules:
		return []string{phrase(name, strings.Join(ruleWords(value), " and "))}
	default:
		return ruleWords(value)
	}
}

func listWords(field protoreflect.FieldDescriptor, list protoreflect.List) string {
	words := make([]string, 0, list.Len())
	for i := range list.Len() {
		words = append(words, scalarWord(field, list.Get(i)))
	}
	return strings.Join(words, ", ")
}

func scalarWord(field protoreflect.FieldDescriptor, value protoreflect.Value) string {
	switch field.Kind() {
	case protoreflect.StringKind:
		return strconv.Quote(value.String())
	case protoreflect.BytesKind:
		return strconv.Quote(string(value.Bytes()))
	case protoreflect.MessageKind:
		return strings.TrimSpace(strings.Join(nestedWords("", value.Message()), ", "))
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return string(known.Name())
		}
		return strconv.Itoa(int(value.Enum()))
	default:
		return fmt.Sprint(value.Interface())
	}
}
