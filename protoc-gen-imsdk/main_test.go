package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// asPlugin makes the test's program be the plugin.
const asPlugin = "BE_PROTOC_GEN_IMSDK"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		main()
		return
	}
	m.Run()
}

func TestThePluginTakesARequestAndGivesAResponse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, parameter, want string
	}{
		{"with options that it knows", "paths=source_relative,validate=none", ""},
		{
			"with one that it does not know", "validate=maybe",
			"IM001: option validate=maybe: there is no such value; write validate=pgv or validate=none",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			response := runPlugin(t, &pluginpb.CodeGeneratorRequest{
				FileToGenerate: []string{"imsdk/v1/options.proto"},
				Parameter:      proto.String(test.parameter),
				ProtoFile: []*descriptorpb.FileDescriptorProto{
					protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto),
					protodesc.ToFileDescriptorProto(imsdkv1.File_imsdk_v1_options_proto),
				},
			})
			if response.GetError() != test.want {
				t.Errorf("error is %q, want %q", response.GetError(), test.want)
			}
		})
	}
}

func runPlugin(t *testing.T, request *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	input, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), asPlugin+"=1")
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	response := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(output, response); err != nil {
		t.Fatal(err)
	}
	return response
}
