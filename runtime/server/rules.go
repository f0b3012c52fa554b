package server

import (
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Requests and envelopes are checked as contents are, so that their violations read alike: each one is a kind that
// never travels.
var (
	envelopeRules    = rulesOf((*imv1.MessageRequest).ValidateAll)
	sendRules        = rulesOf((*imv1.SendMessageRequest).ValidateAll)
	joinRules        = rulesOf((*imv1.JoinRoomRequest).ValidateAll)
	leaveRules       = rulesOf((*imv1.LeaveRoomRequest).ValidateAll)
	roomInfoRules    = rulesOf((*imv1.GetRoomInfoRequest).ValidateAll)
	transcriptRules  = rulesOf((*imv1.TranscriptRequest).ValidateAll)
	healthRules      = rulesOf((*imv1.HealthCheckRequest).ValidateAll)
	audioRules       = rulesOf((*imv1.AudioMetadata).ValidateAll)
	uploadPieceRules = rulesOf((*imv1.UploadAudioRequest).ValidateAll)
)

type rules struct{ kind *runtime.Kind }

func rulesOf[T proto.Message](validate func(T) error) rules {
	var none T
	described := none.ProtoReflect()
	kind := runtime.NewKind(runtime.KindSpec[T]{
		New:      func() T { return described.New().Interface().(T) },
		Validate: validate,
		Fields:   goNames(described.Descriptor(), make(runtime.FieldNames)),
	})
	return rules{&kind.Kind}
}

// check gives an INVALID_ARGUMENT error with every violation, or nil.
func (r rules) check(message proto.Message) error {
	err := r.kind.Check(message)
	if err == nil {
		return nil
	}
	name := string(message.ProtoReflect().Descriptor().Name())
	return &runtime.Error{Code: codes.InvalidArgument, Message: "invalid " + name, Violations: runtime.Violations(err)}
}

// goNames adds the Go names of a message's fields, and of what is nested in it.
func goNames(message protoreflect.MessageDescriptor, names runtime.FieldNames) runtime.FieldNames {
	if _, ok := names[message.FullName()]; ok {
		return names
	}
	fields := make(map[string]string)
	names[message.FullName()] = fields
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		fields[goName(string(field.Name()))] = string(field.Name())
		if field.Message() != nil {
			goNames(field.Message(), names)
		}
	}
	return names
}

// goName is the Go name of a field of im.v1, whose names are lower case words with underscores between.
func goName(field string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(field, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
