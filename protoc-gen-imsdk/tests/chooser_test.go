package tests_test

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// What a chooser chooses from. The first is what there is when no choices are left.
var (
	someParameters = []string{"", "validate=none", "validate=pgv", "paths=source_relative", "validate=maybe", "nonsense", "doc=markdown"}
	somePackages   = []string{"a.v1", "", "b.v1", "func", "a.v2"}
	someGoPackages = []string{"a/v1;av1", "a", "context", "runtime", "b/v1", "a/v1/av1sdk", "len;new", "a/v1;other"}
	someNames      = []string{"Poll", "PollContent", "Content", "poll_async", "_", "Kind", "Invalid", "Client", "func", "x1_Y"}
	someWrongTypes = []string{"", ".", "T0_1", "a.v1.T0_0", "a.v1.", "T1_0", "t0_0", "é"}
	someNumbers    = []int32{0, 1, 999, 1000, 1001, -1, 2147483647}
	someFields     = []string{"text", "string", "validate_all", "Text", "x_1", "_"}
	someFieldTypes = []descriptorpb.FieldDescriptorProto_Type{
		descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_BYTES,
		descriptorpb.FieldDescriptorProto_TYPE_INT64, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE,
	}
)

// chooser makes protos from bytes. Few bytes make small and mostly right ones.
type chooser struct{ left []byte }

// number is below n.
func (c *chooser) number(n int) int {
	if len(c.left) == 0 {
		return 0
	}
	chosen := int(c.left[0]) % n
	c.left = c.left[1:]
	return chosen
}

// rarely is for what is mostly wrong.
func (c *chooser) rarely() bool { return c.number(32) == 31 }

func one[T any](c *chooser, from []T) T { return from[c.number(len(from))] }

// text is what the next bytes say.
func (c *chooser) text() string {
	length := min(c.number(64), len(c.left))
	text := string(c.left[:length])
	c.left = c.left[length:]
	return text
}

func (c *chooser) request() *pluginpb.CodeGeneratorRequest {
	request := &pluginpb.CodeGeneratorRequest{Parameter: proto.String(one(c, someParameters))}
	request.ProtoFile = []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto),
		protodesc.ToFileDescriptorProto(imsdkv1.File_imsdk_v1_options_proto),
	}
	for i := range 1 + c.number(3) {
		file := c.file(i)
		for _, other := range request.GetProtoFile()[1:] {
			file.Dependency = append(file.Dependency, other.GetName())
		}
		request.ProtoFile = append(request.ProtoFile, file)
		if !c.rarely() {
			request.FileToGenerate = append(request.FileToGenerate, file.GetName())
		}
	}
	return request
}

// file makes the file with that number: messages, and an enum with a value for each.
func (c *chooser) file(number int) *descriptorpb.FileDescriptorProto {
	goPackage := "example.com/" + one(c, someGoPackages)
	if !c.rarely() {
		goPackage = fmt.Sprintf("example.com/file%d/%s", number, one(c, someGoPackages))
	}
	file := &descriptorpb.FileDescriptorProto{
		Name:           proto.String(fmt.Sprintf("file%d.proto", number)),
		Package:        proto.String(one(c, somePackages)),
		Syntax:         proto.String(one(c, []string{"proto3", "editions"})),
		Options:        &descriptorpb.FileOptions{GoPackage: proto.String(goPackage)},
		SourceCodeInfo: new(descriptorpb.SourceCodeInfo),
	}
	if file.GetSyntax() == "editions" {
		file.Edition = descriptorpb.Edition_EDITION_2023.Enum()
	}
	enum := &descriptorpb.EnumDescriptorProto{
		Name:    proto.String(fmt.Sprintf("Type%d", number)),
		Options: new(descriptorpb.EnumOptions),
		Value: []*descriptorpb.EnumValueDescriptorProto{
			{Name: proto.String(fmt.Sprintf("NONE%d", number)), Number: proto.Int32(0)},
		},
	}
	if !c.rarely() {
		proto.SetExtension(enum.GetOptions(), imsdkv1.E_KindEnum, &imsdkv1.KindEnum{Protocol: c.rarely()})
	}
	file.EnumType = append(file.EnumType, enum)
	for i := range 1 + c.number(5) {
		value := c.value(number, i)
		enum.Value = append(enum.Value, value)
		file.MessageType = append(file.MessageType, c.message(fmt.Sprintf("%d%d", number, i), value))
		file.SourceCodeInfo.Location = append(file.SourceCodeInfo.Location, &descriptorpb.SourceCodeInfo_Location{
			Path: []int32{4, int32(i)}, Span: []int32{int32(i), 0, 1}, LeadingComments: proto.String(c.text()),
		})
	}
	return file
}

func (c *chooser) value(file, i int) *descriptorpb.EnumValueDescriptorProto {
	value := &descriptorpb.EnumValueDescriptorProto{
		Name:    proto.String(fmt.Sprintf("T%d_%d", file, i)),
		Number:  proto.Int32(int32(1000 + 100*file + i)),
		Options: &descriptorpb.EnumValueOptions{Deprecated: proto.Bool(c.number(8) == 1)},
	}
	if c.rarely() {
		value.Number = proto.Int32(one(c, someNumbers))
	}
	return value
}

// message makes one with that value as its type. Mostly its name has a suffix that tells it from all others.
func (c *chooser) message(suffix string, value *descriptorpb.EnumValueDescriptorProto) *descriptorpb.DescriptorProto {
	if c.rarely() {
		suffix = ""
	}
	message := &descriptorpb.DescriptorProto{
		Name:    proto.String(one(c, someNames) + suffix),
		Options: &descriptorpb.MessageOptions{Deprecated: proto.Bool(c.number(8) == 1)},
	}
	for i := range c.number(4) {
		message.Field = append(message.Field, c.field(message, i))
	}
	if c.rarely() {
		message.NestedType = append(message.NestedType, c.message(suffix+"n", value))
	}
	if c.number(8) == 7 {
		proto.SetExtension(value.GetOptions(), imsdkv1.E_Control, true)
		return message
	}
	kind := &imsdkv1.Kind{Type: value.GetName(), MaxBytes: uint32(c.number(128)) << (8 * c.number(4))}
	kind.Direction = imsdkv1.Direction(c.number(4))
	kind.Encoding = []imsdkv1.Encoding{0, 1, 3}[c.number(3)]
	switch c.number(32) {
	case 28:
		kind.Direction = 4
	case 29:
		kind.Encoding = imsdkv1.Encoding(c.number(5))
	case 30:
		kind.Type = one(c, someWrongTypes)
	case 31:
		kind.Type = c.text()
	}
	proto.SetExtension(message.GetOptions(), imsdkv1.E_Kind, kind)
	return message
}

func (c *chooser) field(message *descriptorpb.DescriptorProto, i int) *descriptorpb.FieldDescriptorProto {
	name := one(c, someFields)
	if !c.rarely() {
		name += strconv.Itoa(i)
	}
	field := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), JsonName: proto.String(fmt.Sprint("json", i)), Number: proto.Int32(int32(i + 1)),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: one(c, someFieldTypes).Enum(),
	}
	if c.number(4) == 3 {
		field.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	}
	if field.GetType() == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
		field.TypeName = proto.String(message.GetName())
	}
	return field
}
