package parse

import (
	"cmp"
	"slices"
	"strings"

	"github.com/envoyproxy/protoc-gen-validate/validate"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/gofeaturespb"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// fields gives the fields of all messages that the contents of a group consist of, by the messages' names.
func (p *parser) fields(group *group) []*model.MessageFields {
	reached := make(map[*protogen.Message]bool)
	for _, each := range group.kinds {
		p.validated(each)
		p.servedByPGV(each)
		reach(each.message, reached)
	}
	var tables []*model.MessageFields
	for message := range reached {
		p.fieldClashes(message)
		if table := fieldsOf(message); len(table.Fields) > 0 {
			tables = append(tables, table)
		}
	}
	slices.SortFunc(tables, func(a, b *model.MessageFields) int { return cmp.Compare(a.Message, b.Message) })
	return tables
}

// validated reports a kind whose content would have no ValidateAll.
func (p *parser) validated(kind *kind) {
	ignored, ok := proto.GetExtension(kind.message.Desc.Options(), validate.E_Ignored).(bool)
	if ok && ignored {
		p.findings.Add(position(kind.file.Desc, kind.message.Location, protoreflect.SourcePath{
			messageOptions, int32(validate.E_Ignored.TypeDescriptor().Number()),
		}), diag.NotValidated,
			"message %s: with (validate.ignored) it gets no ValidateAll; write `option (validate.disabled) = true;` if it has no rules, or give protoc-gen-imsdk the option validate=none",
			kind.Message)
	}
}

// servedByPGV reports a kind in a file of an edition, and one with the opaque API: protoc-gen-validate knows proto2 and proto3
// only, and reads the fields of Go structs.
func (p *parser) servedByPGV(kind *kind) {
	switch pos := position(kind.file.Desc, kind.message.Location, nil); {
	case kind.file.Desc.Syntax() == protoreflect.Editions:
		p.findings.Add(pos, diag.NoEditions,
			"message %s: protoc-gen-validate knows proto2 and proto3, no editions; give protoc-gen-imsdk the option validate=none, or write the file in proto3",
			kind.Message)
	case kind.message.APILevel == gofeaturespb.GoFeatures_API_OPAQUE:
		p.findings.Add(pos, diag.NoEditions,
			"message %s: it has the opaque API, whose fields protoc-gen-validate cannot reach; give protoc-gen-imsdk the option validate=none, or protoc-gen-go the option default_api_level=API_HYBRID, or none",
			kind.Message)
	}
}

// reach adds a message and what its fields hold. protoc-gen-validate does not look into google.protobuf's own messages,
// and names the fields of a map's entry after the map.
func reach(message *protogen.Message, reached map[*protogen.Message]bool) {
	if reached[message] || message.Desc.ParentFile().Package() == "google.protobuf" {
		return
	}
	if !message.Desc.IsMapEntry() {
		reached[message] = true
	}
	for _, field := range message.Fields {
		if field.Message != nil {
			reach(field.Message, reached)
		}
	}
}

func fieldsOf(message *protogen.Message) *model.MessageFields {
	table := &model.MessageFields{Message: message.Desc.FullName()}
	for _, field := range message.Fields {
		table.Fields = append(table.Fields, model.Field{Go: field.GoName, Proto: string(field.Desc.Name())})
	}
	for _, oneof := range message.Oneofs {
		if !oneof.Desc.IsSynthetic() {
			table.Fields = append(table.Fields, model.Field{Go: oneof.GoName, Proto: string(oneof.Desc.Name())})
		}
	}
	return table
}

// fieldClashes reports fields whose names in Go protoc-gen-go has changed because another field has the name.
// protoc-gen-validate does not do that: it would check the other field.
func (p *parser) fieldClashes(message *protogen.Message) {
	if p.walked[message] {
		return
	}
	p.walked[message] = true
	for _, field := range message.Fields {
		p.fieldClash(field.Desc, field.GoName, field.Location)
		p.noGroup(field)
	}
	for _, oneof := range message.Oneofs {
		if !oneof.Desc.IsSynthetic() {
			p.fieldClash(oneof.Desc, oneof.GoName, oneof.Location)
		}
	}
}

func (p *parser) fieldClash(desc protoreflect.Descriptor, goName string, location protogen.Location) {
	added := underscores(goName) - underscores(string(desc.Name()))
	if added <= 0 || added == 1 && isMethod(strings.TrimSuffix(goName, "_")) {
		return
	}
	p.findings.Add(position(desc.ParentFile(), location, nil), diag.FieldClash,
		"field %s: another field takes its name in Go, it is %s there, and protoc-gen-validate would check the other one; rename the field",
		desc.FullName(), goName)
}

// noGroup reports a group of proto2. protoc-gen-validate ends at one, and does not say where.
func (p *parser) noGroup(field *protogen.Field) {
	file := field.Desc.ParentFile()
	if field.Desc.Kind() == protoreflect.GroupKind && file.Syntax() == protoreflect.Proto2 {
		p.findings.Add(position(file, field.Location, nil), diag.NoGroups,
			"field %s is a group, and protoc-gen-validate knows none; write a message and a field of its type, with a new number, or give protoc-gen-imsdk the option validate=none",
			field.Desc.FullName())
	}
}

// underscores counts those at the end of a name.
func underscores(name string) int { return len(name) - len(strings.TrimRight(name, "_")) }

// isMethod tells whether messages have a method of that name. Both generators add one underscore then.
func isMethod(name string) bool {
	switch name {
	case "Reset", "String", "ProtoMessage", "Marshal", "Unmarshal",
		"ExtensionRangeArray", "ExtensionMap", "Descriptor":
		return true
	default:
		return false
	}
}
