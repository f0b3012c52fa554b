package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
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
	command := program(t, "", bytes.NewReader(input))
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

// program is the plugin as a process.
func program(t *testing.T, dir string, stdin io.Reader, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Dir, command.Stdin = dir, stdin
	command.Env = append(os.Environ(), asPlugin+"=1")
	return command
}

func TestRunByAPersonItSaysHowItIsUsed(t *testing.T) {
	t.Parallel()
	terminal, err := os.Open(os.DevNull) // as a terminal, it is a device that nobody has piped anything into
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	tests := []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "protoc-gen-imsdk is a plugin of buf and protoc: they run it"},
		{[]string{"help"}, 0, "protoc-gen-imsdk is a plugin of buf and protoc: they run it"},
		{[]string{"lock"}, 1, "standard input is a terminal; give it an image"},
		{[]string{"explode"}, 2, "there is no command explode"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			command := program(t, t.TempDir(), terminal, test.args...)
			output, _ := command.CombinedOutput() // how it ends is looked at below
			if code := command.ProcessState.ExitCode(); code != test.code || !strings.Contains(string(output), test.want) {
				t.Errorf("exit code %d, it says\n%s", code, output)
			}
		})
	}
}
