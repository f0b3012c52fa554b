package wiretest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

const firstAdded = 16

// table reads "Name: a, b" lines.
func table(text string) map[string][]string {
	rows := make(map[string][]string)
	for line := range strings.Lines(strings.TrimSpace(text)) {
		name, cells, _ := strings.Cut(strings.TrimSpace(line), ": ")
		rows[name] = strings.Split(cells, ", ")
	}
	return rows
}

// protoFiles are the files of im.v1.
func protoFiles() []protoreflect.FileDescriptor {
	var files []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage("im.v1", func(file protoreflect.FileDescriptor) bool {
		files = append(files, file)
		return true
	})
	return files
}

// sameRows compares what the protos have with a table.
func sameRows(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s\nhas  %q\nwant %q", name, got[name], want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is not of the deployed protocol", name)
		}
	}
}

// typeOf names a field's type as the table does.
func typeOf(field protoreflect.FieldDescriptor) string {
	name := field.Kind().String()
	switch {
	case field.IsMap():
		name = "map"
		if field.MapKey().Kind() != protoreflect.StringKind || field.MapValue().Kind() != protoreflect.StringKind {
			name = "another map"
		}
	case field.Message() != nil:
		name = string(field.Message().Name())
		if field.Message().ParentFile().Package() != "im.v1" && field.Message().FullName() != "google.protobuf.Timestamp" {
			name = string(field.Message().FullName())
		}
	case field.Enum() != nil:
		name = string(field.Enum().Name())
	}
	switch {
	case field.IsList():
		return "repeated " + name
	case field.HasOptionalKeyword():
		return "optional " + name
	case field.ContainingOneof() != nil:
		return fmt.Sprintf("oneof %s %s", field.ContainingOneof().Name(), name)
	default:
		return name
	}
}

func TestMessagesAreThoseOfTheDeployedProtocol(t *testing.T) {
	t.Parallel()
	got := make(map[string][]string)
	for _, file := range protoFiles() {
		for i := range file.Messages().Len() {
			message := file.Messages().Get(i)
			if slices.Contains(addedMessages, string(message.Name())) {
				continue
			}
			fields := []string{}
			for j := range message.Fields().Len() {
				if field := message.Fields().Get(j); field.Number() < firstAdded {
					fields = append(fields, fmt.Sprintf("%s %s=%d", field.Name(), typeOf(field), field.Number()))
				}
			}
			got[string(message.Name())] = fields
		}
	}
	sameRows(t, got, table(deployedMessages))
}

func TestEnumsAreThoseOfTheDeployedProtocol(t *testing.T) {
	t.Parallel()
	got := make(map[string][]string)
	for _, file := range protoFiles() {
		for i := range file.Enums().Len() {
			enum := file.Enums().Get(i)
			values := []string{}
			for j := range enum.Values().Len() {
				value := enum.Values().Get(j)
				if enum.Name() == "MessageType" && value.Number() >= firstAdded {
					continue
				}
				name, ok := strings.CutPrefix(string(value.Name()), prefixOf(string(enum.Name())))
				if !ok {
					t.Errorf("%s does not carry its enum's prefix", value.Name())
				}
				values = append(values, fmt.Sprintf("%s=%d", name, value.Number()))
			}
			got[string(enum.Name())] = values
		}
	}
	sameRows(t, got, table(deployedEnums))
}

// prefixOf turns MessageType into MESSAGE_TYPE_.
func prefixOf(enum string) string {
	var prefix strings.Builder
	for i, char := range enum {
		if i > 0 && unicode.IsUpper(char) {
			prefix.WriteByte('_')
		}
		prefix.WriteRune(unicode.ToUpper(char))
	}
	return prefix.String() + "_"
}

func TestMethodsAreThoseOfTheDeployedProtocol(t *testing.T) {
	t.Parallel()
	got := make(map[string][]string)
	for _, file := range protoFiles() {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			if service.FullName() != "im.v1.IMService" {
				t.Errorf("%s is not of the deployed protocol", service.FullName())
			}
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				request, response := string(method.Input().Name()), string(method.Output().Name())
				if method.IsStreamingClient() {
					request = "stream " + request
				}
				if method.IsStreamingServer() {
					response = "stream " + response
				}
				got[string(method.Name())] = []string{request, response}
			}
		}
	}
	sameRows(t, got, table(deployedMethods))
}

func TestThePackageIsProto3(t *testing.T) {
	t.Parallel()
	files := protoFiles()
	if len(files) == 0 {
		t.Fatal("im.v1 has no files")
	}
	for _, file := range files {
		if file.Syntax() != protoreflect.Proto3 {
			t.Errorf("%s is %s", file.Path(), file.Syntax())
		}
	}
}

func TestAddedTypesAreControlFramesFrom16To63(t *testing.T) {
	t.Parallel()
	added := 0
	values := imv1.MessageType(0).Descriptor().Values()
	for i := range values.Len() {
		value := values.Get(i)
		if value.Number() < firstAdded {
			continue
		}
		added++
		if value.Number() > 63 {
			t.Errorf("%s is %d: control types end at 63", value.Name(), value.Number())
		}
		if control, _ := proto.GetExtension(value.Options(), imsdkv1.E_Control).(bool); !control {
			t.Errorf("%s is not marked as a control type", value.Name())
		}
	}
	if added == 0 {
		t.Error("no type is added: this test looks at the wrong enum")
	}
}
