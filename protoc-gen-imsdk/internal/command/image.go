package command

import (
	"errors"
	"fmt"
	"path"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// pluginOf reads an image as if its files, but for imports, were to be generated.
func pluginOf(image []byte) (*protogen.Plugin, error) {
	var files descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(image, &files); err != nil {
		return nil, fmt.Errorf(
			"this is no image; give it what `buf build -o -` or protoc --include_imports --descriptor_set_out writes: %w", err)
	}
	if len(files.GetFile()) == 0 {
		return nil, errors.New("the image is empty; did `buf build -o -` fail?")
	}
	request := &pluginpb.CodeGeneratorRequest{ProtoFile: files.GetFile()}
	for _, file := range files.GetFile() {
		if !isImport(file) {
			request.FileToGenerate = append(request.FileToGenerate, file.GetName())
		}
		// buf's managed mode comes later. protogen wants a Go package, whichever it is.
		if file.GetOptions().GetGoPackage() == "" {
			if file.GetOptions() == nil {
				file.Options = new(descriptorpb.FileOptions)
			}
			file.Options.GoPackage = proto.String(path.Join("lock", path.Dir(file.GetName())))
		}
	}
	return protogen.Options{}.New(request)
}

// The fields of buf.alpha.image.v1 that tell imports from files of the image itself.
const (
	bufExtension = 8042
	bufIsImport  = 1
)

// isImport tells whether buf has marked a file as an import. protoc marks none.
func isImport(file *descriptorpb.FileDescriptorProto) bool {
	value, ok := lastField(file.ProtoReflect().GetUnknown(), bufExtension)
	if !ok {
		return false
	}
	extension, _ := protowire.ConsumeBytes(value)
	value, ok = lastField(extension, bufIsImport)
	isImport, _ := protowire.ConsumeVarint(value)
	return ok && isImport != 0
}

// lastField finds a field's last value in an encoded message.
func lastField(message []byte, number protowire.Number) (value []byte, found bool) {
	for len(message) > 0 {
		each, wireType, tagLength := protowire.ConsumeTag(message)
		length := protowire.ConsumeFieldValue(each, wireType, message[max(tagLength, 0):])
		if tagLength < 0 || length < 0 {
			return nil, false
		}
		if each == number {
			value, found = message[tagLength:tagLength+length], true
		}
		message = message[tagLength+length:]
	}
	return value, found
}
