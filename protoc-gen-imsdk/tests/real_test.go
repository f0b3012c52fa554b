package tests_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// checkReal checks a request for one real file, without kinds and with a kind on each message, and gives how many these
// are.
func checkReal(t *testing.T, request *pluginpb.CodeGeneratorRequest) (kinds int) {
	t.Helper()
	if files := generated(t, generate(t, request)); len(files) > 0 {
		t.Errorf("without kinds there are %d files", len(files))
	}
	kinds = plantKinds(request)
	request.Parameter = proto.String("doc=markdown")
	if kinds == 0 || checkEither(t, request) {
		return kinds
	}
	for line := range strings.Lines(generate(t, request).GetError()) {
		if !strings.Contains(line, "protoc-gen-validate") { // which mixes up some fields
			t.Error(line)
		}
	}
	request.Parameter = proto.String("validate=none,doc=markdown")
	if !checkEither(t, request) {
		t.Error(generate(t, request).GetError())
	}
	return kinds
}

// nameGoPackages gives the files Go packages of their own if theirs are missing or wrong. It fails for files that no Go
// plugin takes.
func nameGoPackages(request *pluginpb.CodeGeneratorRequest) error {
	if _, err := (protogen.Options{}).New(request); err == nil {
		return nil
	}
	for _, file := range request.GetProtoFile() {
		if file.GetOptions() == nil {
			file.Options = new(descriptorpb.FileOptions)
		}
		file.Options.GoPackage = proto.String("example.com/" + strings.TrimSuffix(file.GetName(), ".proto"))
	}
	_, err := protogen.Options{}.New(request)
	return err
}

// plantKinds makes kinds of all messages of the file to generate.
func plantKinds(request *pluginpb.CodeGeneratorRequest) (kinds int) {
	file := request.GetProtoFile()[len(request.GetProtoFile())-1] // behind what it imports
	enum := &descriptorpb.EnumDescriptorProto{
		Name:    proto.String("PlantedKind"),
		Options: new(descriptorpb.EnumOptions),
		Value:   []*descriptorpb.EnumValueDescriptorProto{{Name: proto.String("PLANTED"), Number: proto.Int32(0)}},
	}
	proto.SetExtension(enum.GetOptions(), imsdkv1.E_KindEnum, new(imsdkv1.KindEnum))
	for i, message := range file.GetMessageType() {
		value := fmt.Sprintf("PLANTED_%d", i)
		enum.Value = append(enum.Value, &descriptorpb.EnumValueDescriptorProto{
			Name: proto.String(value), Number: proto.Int32(int32(1000 + i)),
		})
		if message.GetOptions() == nil {
			message.Options = new(descriptorpb.MessageOptions)
		}
		proto.SetExtension(message.GetOptions(), imsdkv1.E_Kind, &imsdkv1.Kind{Type: value})
	}
	file.EnumType = append(file.EnumType, enum)
	return len(file.GetMessageType())
}
