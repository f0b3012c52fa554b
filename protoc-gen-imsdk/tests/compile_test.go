package tests_test

import (
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// compile gives what a compiler would send to the plugin for some of these sources, which are named by their paths.
func compile(tb testing.TB, sources map[string]string, generate []string, parameter string) *pluginpb.CodeGeneratorRequest {
	tb.Helper()
	request, err := tryCompile(tb, sources, generate)
	if err != nil {
		tb.Fatal(err)
	}
	request.Parameter = proto.String(parameter)
	return request
}

// tryCompile does the same for sources that may be wrong.
func tryCompile(tb testing.TB, sources map[string]string, generate []string) (*pluginpb.CodeGeneratorRequest, error) {
	tb.Helper()
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(sources),
		}),
		SourceInfoMode: protocompile.SourceInfoExtraOptionLocations, // as buf does
	}
	compiled, err := compiler.Compile(tb.Context(), generate...)
	if err != nil {
		return nil, err
	}
	return reread(tb, &pluginpb.CodeGeneratorRequest{FileToGenerate: generate, ProtoFile: withImports(compiled)}), nil
}

// withImports gives the files and all that they import, each behind its imports.
func withImports(compiled linker.Files) []*descriptorpb.FileDescriptorProto {
	var files []*descriptorpb.FileDescriptorProto
	seen := make(map[string]bool)
	var add func(file protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
		files = append(files, descriptorOf(file))
	}
	for _, file := range compiled {
		add(file)
	}
	return files
}

// descriptorOf gives the compiler's own descriptor: one made from the file would lack what protoreflect does not keep.
func descriptorOf(file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	if result, ok := file.(linker.Result); ok {
		return result.FileDescriptorProto()
	}
	return protodesc.ToFileDescriptorProto(file)
}

// reread writes a request and reads it again. The compiler's options are messages of its own; read again, they are those
// that the plugin knows.
func reread(tb testing.TB, request *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorRequest {
	tb.Helper()
	written, err := proto.Marshal(request)
	if err != nil {
		tb.Fatal(err)
	}
	read := new(pluginpb.CodeGeneratorRequest)
	if err := proto.Unmarshal(written, read); err != nil {
		tb.Fatal(err)
	}
	return read
}
