package runtime

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// FieldNames translates the names of Go fields, which protoc-gen-validate reports, to those of the proto: message,
// Go name, proto name. Generated code has one for all contents of a package, with every message that can be reached
// from them through fields, lists and maps, of imported packages too; and with the oneofs, because a oneof that is
// required and not set is reported by its own name.
//
// The name that protoc-gen-validate reports is the camel case of the proto name, letter for letter protoc-gen-go's,
// with an underscore behind it if it is one of Reset, String, ProtoMessage, Marshal, Unmarshal, ExtensionRangeArray,
// ExtensionMap and Descriptor. That is protogen's GoName, except where protogen adds an underscore to tell apart two
// names of one message (foo_bar and fooBar, string and string_, foo and get_foo). protoc-gen-validate does not: its
// code then does not compile, or checks the first field twice and the second one never. The generator refuses such
// messages.
type FieldNames map[protoreflect.FullName]map[string]string

// pgvError is what protoc-gen-validate generates for one broken rule.
type pgvError interface {
	error
	// Field is the Go name, with an index or a map's key: "Options[2]".
	Field() string
	Reason() string
	Cause() error
}

// pgvErrors is what it generates for all of a message's.
type pgvErrors interface {
	error
	AllErrors() []error
}

// violationsOf flattens what a validator returned for a message: nested messages' violations come with their path.
func violationsOf(err error, message protoreflect.MessageDescriptor, names FieldNames) []Violation {
	return appendViolations(nil, "", err, message, names)
}

func appendViolations(
	to []Violation, prefix string, err error, message protoreflect.MessageDescriptor, names FieldNames,
) []Violation {
	switch err := err.(type) { //nolint:errorlint // protoc-gen-validate wraps nothing: each level is walked here
	case pgvErrors:
		for _, each := range err.AllErrors() {
			to = appendViolations(to, prefix, each, message, names)
		}
		return to
	case pgvError:
		path, field := protoPath(prefix, err.Field(), message, names)
		if nested := nestedMessage(field); nested != nil && isPGV(err.Cause()) {
			return appendViolations(to, path+".", err.Cause(), nested, names)
		}
		return append(to, Violation{Path: path, Reason: err.Reason(), Cause: err.Cause()})
	default:
		return append(to, Violation{Path: strings.TrimSuffix(prefix, "."), Reason: err.Error(), Cause: err})
	}
}

func isPGV(err error) bool {
	switch err.(type) { //nolint:errorlint // as above
	case pgvErrors, pgvError:
		return true
	default:
		return false
	}
}

// protoPath turns "Options[2]" into "options[2]" and finds the field.
func protoPath(
	prefix, goPath string, message protoreflect.MessageDescriptor, names FieldNames,
) (string, protoreflect.FieldDescriptor) {
	goName, index := goPath, ""
	if at := strings.IndexByte(goPath, '['); at >= 0 {
		goName, index = goPath[:at], goPath[at:]
	}
	protoName, ok := names[message.FullName()][goName]
	if !ok {
		protoName = goName
	}
	return prefix + protoName + index, message.Fields().ByName(protoreflect.Name(protoName))
}

// nestedMessage is the message that a field, a list's element or a map's value holds, or nil.
func nestedMessage(field protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	switch {
	case field == nil:
		return nil
	case field.IsMap():
		return field.MapValue().Message()
	default:
		return field.Message()
	}
}
