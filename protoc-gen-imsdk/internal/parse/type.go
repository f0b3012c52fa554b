package parse

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

// typeOf finds the enum value that a kind names, or reports why it cannot be one.
func (r *reader) typeOf(message *protogen.Message, annotation *imsdkv1.Kind) *value {
	pos := kindPosition(message, typeField)
	name := message.Desc.FullName()
	if annotation.GetType() == "" {
		r.findings.Add(pos, diag.MissingType,
			"message %s: the kind has no type; write `type: \"…\"` with the name of a value of an enum that has the option kind_enum", name)
		return nil
	}
	found := r.resolve(annotation.GetType())
	if found == nil {
		r.unknownType(pos, message, annotation.GetType())
		return nil
	}
	r.run.claimed[claim{found.enum, int32(found.Desc.Number())}] = true
	switch {
	case found.enum.annotation == nil:
		r.findings.Add(pos, diag.NotKindEnum,
			"message %s: enum %s of type %q is no place for kinds; add `option (imsdk.v1.kind_enum) = {};` to the enum",
			name, found.enum.Desc.FullName(), annotation.GetType())
	case found.Desc.Number() == 0:
		r.findings.Add(pos, diag.ZeroValue,
			"message %s: type %q has the number 0, which means that there is no type; name another value",
			name, annotation.GetType())
	case found.enum.isControlNumber(found.Desc.Number()):
		r.findings.Add(pos, diag.ControlValue,
			"message %s: type %q is marked as control, the protocol uses it for itself; name another value, or remove the mark",
			name, annotation.GetType())
	default:
		return found
	}
	return nil
}

// resolve finds a value by its name within the message's package, or by its full name.
func (r *reader) resolve(name string) *value {
	pkg := r.file.Desc.Package()
	for _, full := range []protoreflect.FullName{join(pkg, name), protoreflect.FullName(name)} {
		if found, ok := r.run.enums.values[full]; ok {
			return found
		}
	}
	return nil
}

func join(pkg protoreflect.FullName, name string) protoreflect.FullName {
	if pkg == "" {
		return protoreflect.FullName(name)
	}
	return pkg + "." + protoreflect.FullName(name)
}

// unknownType reports a type that no enum has, with the value that was probably meant. That one counts as used, so that
// one misspelling is one finding.
func (r *reader) unknownType(pos diag.Position, message *protogen.Message, name string) {
	candidates := r.candidates()
	names := slices.Sorted(maps.Keys(candidates))
	meant := diag.Suggest(name, names)
	if meant == "" {
		r.findings.Add(pos, diag.UnknownType,
			"message %s: there is no enum value %q%s; import the enum's file, or add the value to an enum with the option kind_enum",
			message.Desc.FullName(), name, r.searched())
		return
	}
	found := candidates[meant]
	r.run.claimed[claim{found.enum, int32(found.Desc.Number())}] = true
	r.findings.Add(pos, diag.UnknownType, "message %s: there is no enum value %q; did you mean %q?",
		message.Desc.FullName(), name, meant)
}

// searched tells where a type is looked for. In a file without a package a name is a full name.
func (r *reader) searched() string {
	if pkg := r.file.Desc.Package(); pkg != "" {
		return fmt.Sprintf(" in package %s or with that full name", pkg)
	}
	return ""
}

// candidates are the values that a message of the file may name, under the name that it would write.
func (r *reader) candidates() map[string]*value {
	candidates := make(map[string]*value)
	for full, each := range r.run.enums.values {
		if each.enum.annotation == nil || each.Desc.Number() == 0 || each.enum.isControlNumber(each.Desc.Number()) {
			continue
		}
		name := string(full)
		if full.Parent() == r.file.Desc.Package() {
			name = string(full.Name())
		}
		candidates[name] = each
	}
	return candidates
}
