package server

import (
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// requestRules has the rules of every request and envelope. They are checked as contents are, so that their violations
// read alike: each one is a kind that never travels.
type requestRules struct {
	envelope, send, join, leave, roomInfo, transcript, health, audio, audioPiece rules
}

func newRequestRules() requestRules {
	return requestRules{
		envelope:   rulesOf((*imv1.MessageRequest).ValidateAll),
		send:       rulesOf((*imv1.SendMessageRequest).ValidateAll),
		join:       rulesOf((*imv1.JoinRoomRequest).ValidateAll),
		leave:      rulesOf((*imv1.LeaveRoomRequest).ValidateAll),
		roomInfo:   rulesOf((*imv1.GetRoomInfoRequest).ValidateAll),
		transcript: rulesOf((*imv1.TranscriptRequest).ValidateAll),
		health:     rulesOf((*imv1.HealthCheckRequest).ValidateAll),
		audio:      rulesOf((*imv1.AudioMetadata).ValidateAll),
		audioPiece: rulesOf((*imv1.UploadAudioRequest).ValidateAll),
	}
}

type rules struct{ kind *runtime.Kind }

// rulesOf is for a message M, given its pointer's method.
func rulesOf[M any, T interface {
	*M
	proto.Message
}](validate func(T) error) rules {
	empty := func() T { return new(M) }
	kind := runtime.NewKind(runtime.KindSpec[T]{
		New:      empty,
		Validate: validate,
		Fields:   goNames(empty().ProtoReflect().Descriptor(), make(runtime.FieldNames)),
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
