package command_test

import (
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// kind is a message of an image, which has a value of that number.
type kind struct {
	message  string
	number   int32
	encoding imsdkv1.Encoding
}

// protos makes a file with kinds, as a compiler would. It has no go_package, as when buf manages them.
func protos(pkg string, kinds ...kind) *descriptorpb.FileDescriptorProto {
	enum := &descriptorpb.EnumDescriptorProto{
		Name:    proto.String("Type"),
		Value:   []*descriptorpb.EnumValueDescriptorProto{{Name: proto.String("NONE"), Number: proto.Int32(0)}},
		Options: new(descriptorpb.EnumOptions),
	}
	proto.SetExtension(enum.GetOptions(), imsdkv1.E_KindEnum, new(imsdkv1.KindEnum))
	file := &descriptorpb.FileDescriptorProto{
		Name:       proto.String(pkg + "/" + pkg + ".proto"),
		Package:    proto.String(pkg),
		Dependency: []string{"imsdk/v1/options.proto"},
		Syntax:     proto.String("proto3"),
		EnumType:   []*descriptorpb.EnumDescriptorProto{enum},
	}
	for _, each := range kinds {
		value := "TYPE_" + strings.ToUpper(each.message)
		enum.Value = append(enum.Value, &descriptorpb.EnumValueDescriptorProto{
			Name: proto.String(value), Number: proto.Int32(each.number),
		})
		message := &descriptorpb.DescriptorProto{
			Name:    proto.String(each.message),
			Options: new(descriptorpb.MessageOptions),
		}
		proto.SetExtension(message.GetOptions(), imsdkv1.E_Kind, &imsdkv1.Kind{Type: value, Encoding: each.encoding})
		file.MessageType = append(file.MessageType, message)
	}
	return file
}

func image(t *testing.T, files ...*descriptorpb.FileDescriptorProto) []byte {
	t.Helper()
	content, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: append([]*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto),
		protodesc.ToFileDescriptorProto(imsdkv1.File_imsdk_v1_options_proto),
	}, files...)})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

const (
	json = imsdkv1.Encoding_ENCODING_JSON
	same = imsdkv1.Encoding_ENCODING_UNSPECIFIED
)

func TestTheLockIsRenewedUnlessSomethingBreaks(t *testing.T) {
	t.Parallel()
	const before = "1000 poll.Poll proto both\n1001 poll.Vote json both\n1002 poll.Old proto both removed\n"
	tests := []struct {
		name  string
		kinds []kind
		args  []string
		want  string // the lines afterwards; none: it is refused
		says  string
	}{
		{
			"nothing is new", []kind{{"Poll", 1000, same}, {"Vote", 1001, json}}, nil, before, "wrote ",
		},
		{
			"a new kind",
			[]kind{{"Poll", 1000, same}, {"Vote", 1001, json}, {"Quiz", 1003, same}},
			nil,
			before + "1003 poll.Quiz proto both\n", "new: 1003 poll.Quiz proto both\n",
		},
		{
			"a kind is gone",
			[]kind{{"Poll", 1000, same}},
			nil,
			"1000 poll.Poll proto both\n1001 poll.Vote json both removed\n1002 poll.Old proto both removed\n",
			"was: 1001 poll.Vote json both\nnow: 1001 poll.Vote json both removed\n",
		},
		{
			"a kind is back",
			[]kind{{"Poll", 1000, same}, {"Vote", 1001, json}, {"Old", 1002, same}},
			nil,
			"1000 poll.Poll proto both\n1001 poll.Vote json both\n1002 poll.Old proto both\n", "now: 1002 poll.Old proto both\n",
		},
		{
			"a number has another message",
			[]kind{{"Survey", 1000, same}, {"Vote", 1001, json}},
			nil, "",
			"IM022: message poll.Survey: number 1000 (poll.TYPE_SURVEY) is that of poll.Poll in the lock",
		},
		{
			"that is meant",
			[]kind{{"Survey", 1000, same}, {"Vote", 1001, json}},
			[]string{"-allow-breaking", "1000"},
			"1000 poll.Survey proto both\n1001 poll.Vote json both\n1002 poll.Old proto both removed\n", "now: 1000 poll.Survey proto both\n",
		},
		{
			"another number is meant", []kind{{"Survey", 1000, same}, {"Vote", 1001, json}}, []string{"-allow-breaking", "1001"}, "", "IM022",
		},
		{
			"a removed number is used again", []kind{{"Poll", 1000, same}, {"Vote", 1001, json}, {"Quiz", 1002, same}}, nil, "", "IM022",
		},
		{
			"a kind has a new number", []kind{{"Poll", 1003, same}, {"Vote", 1001, json}}, nil, "", "and 1000 in the lock",
		},
		{
			"that is meant too",
			[]kind{{"Poll", 1003, same}, {"Vote", 1001, json}},
			[]string{"-allow-breaking", "1000,1001"},
			"1000 poll.Poll proto both removed\n1001 poll.Vote json both\n1002 poll.Old proto both removed\n1003 poll.Poll proto both\n", "new: 1003",
		},
		{
			"only one of two changes is meant",
			[]kind{{"Poll", 1002, same}, {"Vote", 1001, json}},
			[]string{"-allow-breaking", "1002"},
			"",
			"its number is 1002 (poll.TYPE_POLL), and 1000 in the lock",
		},
		{
			"an encoding is another", []kind{{"Poll", 1000, json}, {"Vote", 1001, json}}, nil, "", "its encoding is json, and proto in the lock",
		},
		{
			"a number is not in the lock", []kind{{"Poll", 1000, same}}, []string{"-allow-breaking", "1000,1009"}, "", "-allow-breaking 1009: ",
		},
		{
			"a number is none", []kind{{"Poll", 1000, same}}, []string{"-allow-breaking", "1000,all"}, "", `"all" is no number`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "imsdk.lock")
			writeFile(t, path, before)
			got := run(t, image(t, protos("poll", test.kinds...)), append([]string{"lock", "-o", path}, test.args...)...)
			if !strings.Contains(got.stdout+got.stderr, test.says) {
				t.Errorf("it says\n%s%swant %q in it", got.stdout, got.stderr, test.says)
			}
			if refused := test.want == ""; refused {
				if got.code != 1 || readFile(t, path) != before {
					t.Errorf("exit code %d, and the lock is\n%s", got.code, readFile(t, path))
				}
				return
			}
			if after := withoutHeader(readFile(t, path)); got.code != 0 || after != test.want {
				t.Errorf("exit code %d, and the lock is\n%swant\n%s%s", got.code, after, test.want, got.stderr)
			}
		})
	}
}

func withoutHeader(text string) string {
	for strings.HasPrefix(text, "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

func TestTheFirstLockIsWrittenFromAFileWithoutImports(t *testing.T) {
	t.Parallel()
	imported := protos("quiz", kind{"Quiz", 2000, same})
	mark := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	imported.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 8042, protowire.BytesType), mark))
	dir := t.TempDir()
	input, output := filepath.Join(dir, "image"), filepath.Join(dir, "imsdk.lock")
	writeFile(t, input, string(image(t, imported, protos("poll", kind{"Poll", 1000, same}))))
	if got := run(t, nil, "lock", "-image", input, "-o", output); got.code != 0 {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	if got, want := withoutHeader(readFile(t, output)), "1000 poll.Poll proto both\n"; got != want {
		t.Errorf("the lock is %q, want %q", got, want)
	}
}

func TestNoLockIsWrittenOfWhatIsWrong(t *testing.T) {
	t.Parallel()
	unused := protos("poll", kind{"Poll", 1000, same}, kind{"Vote", 1001, same})
	unused.MessageType = unused.GetMessageType()[:1]
	tests := []struct {
		name  string
		image []byte
		lock  string
		want  string
	}{
		{"no image", []byte("version: v2"), "", "this is no image; give it what `buf build -o -`"},
		{"an empty one", nil, "", "the image is empty; did `buf build -o -` fail?"},
		{"one without kinds", image(t), "", "no message in the image has the option (imsdk.v1.kind)"},
		{
			"a number of two kinds", image(t, protos("poll", kind{"Poll", 1000, same}), protos("quiz", kind{"Quiz", 1000, same})), "",
			"IM007: message quiz.Quiz: number 1000",
		},
		{"a value without a kind", image(t, unused), "", "IM009: enum value TYPE_VOTE"},
		{"a lock after a merge", image(t, protos("poll", kind{"Poll", 1000, same})), "<<<<<<< HEAD\n", "IM020: \"<<<<<<< HEAD\" is no line"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "imsdk.lock")
			writeFile(t, path, test.lock)
			got := run(t, test.image, "lock", "-o", path)
			if got.code != 1 || !strings.Contains(got.stderr, test.want) || readFile(t, path) != test.lock {
				t.Errorf("exit code %d, it says\n%s\nwant %q in it; the lock is %q", got.code, got.stderr, test.want, readFile(t, path))
			}
		})
	}
}
