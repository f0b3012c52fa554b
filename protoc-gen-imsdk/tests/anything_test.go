package tests_test

import (
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

var finding = regexp.MustCompile(`^(\S+\.(proto|lock)(:\d+:\d+)?: )?IM\d{3}: \S`)

// Whatever is annotated, and however wrongly, the plugin gives output or findings, never both and never a panic.
func TestAnyAnnotationGivesEitherOutputOrFindings(t *testing.T) {
	t.Parallel()
	valid := testCase{name: "full", dir: "testdata/output/full"}.request(t)
	lock := filepath.Join(t.TempDir(), "imsdk.lock")
	writeFile(t, lock, "1000 poll.v1.Poll proto both\n1001 poll.v1.Vote raw client\n1002 poll.v1.Old proto both removed\n")
	outputs, failures := 0, 0
	for seed := range uint64(150) {
		request := proto.CloneOf(valid)
		annotate(request, rand.New(rand.NewPCG(seed, 1)))
		if seed%3 == 0 {
			request.Parameter = proto.String("paths=source_relative,lock=" + lock)
		}
		if checkEither(t, request) {
			outputs++
		} else {
			failures++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if outputs == 0 || failures == 0 {
		t.Errorf("%d requests gave output, %d findings; the test wants both", outputs, failures)
	}
}

// annotate changes one to three things of the protos to generate.
func annotate(request *pluginpb.CodeGeneratorRequest, random *rand.Rand) {
	for range 1 + random.IntN(3) {
		file := request.GetProtoFile()[random.IntN(len(request.GetProtoFile()))]
		if !strings.HasPrefix(file.GetName(), "poll/") {
			continue
		}
		if len(file.GetEnumType()) > 0 {
			annotateEnum(file.GetEnumType()[0], random)
			continue
		}
		message := file.GetMessageType()[random.IntN(len(file.GetMessageType()))]
		if nested := message.GetNestedType(); len(nested) > 0 && random.IntN(4) == 0 {
			message = nested[0]
		}
		if message.GetOptions() == nil {
			message.Options = new(descriptorpb.MessageOptions)
		}
		if random.IntN(5) == 0 {
			proto.ClearExtension(message.GetOptions(), imsdkv1.E_Kind)
			continue
		}
		types := []string{
			"TYPE_POLL", "poll.v1.TYPE_VOTE", "TYPE_RESULT", "TYPE_TICK", "TYPE_UNSPECIFIED", "TYPE_RESERVED",
			"", ".", "type_pol", "poll.v1.", "é", "TYPE_POLL\n", strings.Repeat("x", 1000),
		}
		proto.SetExtension(message.GetOptions(), imsdkv1.E_Kind, &imsdkv1.Kind{
			Type:      types[random.IntN(len(types))],
			Direction: imsdkv1.Direction(random.IntN(6) - 1),
			Encoding:  imsdkv1.Encoding(random.IntN(6) - 1),
			MaxBytes:  random.Uint32(),
		})
	}
}

func annotateEnum(enum *descriptorpb.EnumDescriptorProto, random *rand.Rand) {
	value := enum.GetValue()[1+random.IntN(len(enum.GetValue())-1)]
	switch random.IntN(3) {
	case 0:
		proto.SetExtension(enum.GetOptions(), imsdkv1.E_KindEnum, &imsdkv1.KindEnum{Protocol: true})
	case 1:
		proto.ClearExtension(enum.GetOptions(), imsdkv1.E_KindEnum)
	default:
		value.Options = new(descriptorpb.EnumValueOptions)
		proto.SetExtension(value.GetOptions(), imsdkv1.E_Control, random.IntN(2) == 0)
	}
}
