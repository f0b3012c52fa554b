// Package rules checks requests as contents are checked, so that their violations read alike: with proto names, all at
// once.
package rules

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// Rules are those of one message type.
type Rules struct{ kind *runtime.Kind }

// Of takes the method that protoc-gen-validate generates: Of((*imv1.JoinRoomRequest).ValidateAll).
func Of[M any, T interface {
	*M
	proto.Message
}](validateAll func(T) error) Rules {
	empty := func() T { return new(M) }
	kind := runtime.NewKind(runtime.KindSpec[T]{
		New:      empty,
		Validate: validateAll,
		Fields:   goNames(empty().ProtoReflect().Descriptor(), make(runtime.FieldNames)),
	})
	return Rules{&kind.Kind}
}

// Check gives a [*runtime.Error] of code InvalidArgument with every violation, or nil.
func (r Rules) Check(message proto.Message) error {
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

// goName is the Go name of a field whose name is lower case words with underscores between, as those of im.v1 are.
func goName(field string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(field, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
