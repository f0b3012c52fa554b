package parse

import (
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

// The numbers of the field options in descriptor.proto's messages, and of go_package among them.
const (
	fileOptions      = 8
	messageOptions   = 7
	enumOptions      = 3
	enumValueOptions = 3
	goPackageOption  = 11
)

// goPackagePosition is where a file's go_package is written, or the file.
func goPackagePosition(file *protogen.File) diag.Position {
	return position(file.Desc, protogen.Location{}, protoreflect.SourcePath{fileOptions, goPackageOption})
}

// kindPosition is where a message's annotation is written, or the field of it that is named, or, if the compiler did not
// tell, the message.
func kindPosition(message *protogen.Message, field ...int32) diag.Position {
	option := append(protoreflect.SourcePath{messageOptions, int32(imsdkv1.E_Kind.TypeDescriptor().Number())}, field...)
	return position(message.Desc.ParentFile(), message.Location, option)
}

// kindEnumPosition is where an enum's annotation is written, or the enum.
func kindEnumPosition(enum *enum) diag.Position {
	option := protoreflect.SourcePath{enumOptions, int32(imsdkv1.E_KindEnum.TypeDescriptor().Number())}
	return position(enum.file.Desc, enum.Location, option)
}

// controlPosition is where a value's annotation is written, or the value.
func controlPosition(file *protogen.File, value *protogen.EnumValue) diag.Position {
	option := protoreflect.SourcePath{enumValueOptions, int32(imsdkv1.E_Control.TypeDescriptor().Number())}
	return position(file.Desc, value.Location, option)
}

// position finds the most exact place: the path below location, or the longest beginning of it that the compiler has
// recorded.
func position(
	file protoreflect.FileDescriptor, location protogen.Location, below protoreflect.SourcePath,
) diag.Position {
	for end := len(below); end >= 0; end-- {
		path := slices.Concat(location.Path, below[:end])
		if found := file.SourceLocations().ByPath(path); found.Path != nil {
			return diag.Position{File: file.Path(), Line: found.StartLine + 1, Column: found.StartColumn + 1}
		}
	}
	return diag.Position{File: file.Path()}
}
