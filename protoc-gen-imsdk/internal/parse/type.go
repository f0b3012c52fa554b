package parse

import (
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

// typeOf finds the enum value that a kind names, or reports why it cannot be one.
func (p *parser) typeOf(message *protogen.Message, annotation *imsdkv1.Kind) *value {
	pos := kindPosition(message, typeField)
	name := message.Desc.FullName()
	if annotation.GetType() == "" {
		p.findings.Add(pos, diag.MissingType,
			"message %s: the kind has no type; write `type: \"…\"` with the name of a value of an enum that has the option kind_enum", name)
		return nil
	}
	found := p.resolve(message, annotation.GetType())
	if found == nil {
		p.unknownType(pos, message, annotation.GetType())
		return nil
	}
	p.claimed[claim{found.enum, int32(found.Desc.Number())}] = true
	switch {
	case found.enum.annotation == nil:
		p.findings.Add(pos, diag.NotKindEnum,
			"message %s: enum %s of type %q is no place for kinds; add `option (imsdk.v1.kind_enum) = {};` to the enum",
			name, found.enum.Desc.FullName(), annotation.GetType())
	case found.Desc.Number() == 0:
		p.findings.Add(pos, diag.ZeroValue,
			"message %s: type %q has the number 0, which means that there is no type; name another value",
			name, annotation.GetType())
	case isControl(found.EnumValue):
		p.findings.Add(pos, diag.ControlValue,
			"message %s: type %q is marked as control, the protocol uses it for itself; name another value, or remove the mark",
			name, annotation.GetType())
	default:
		return found
	}
	return nil
}

// resolve finds a value by its name within the message's package, or by its full name.
func (p *parser) resolve(message *protogen.Message, name string) *value {
	pkg := message.Desc.ParentFile().Package()
	for _, full := range []protoreflect.FullName{join(pkg, name), protoreflect.FullName(name)} {
		if found, ok := p.enums.values[full]; ok {
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
func (p *parser) unknownType(pos diag.Position, message *protogen.Message, name string) {
	candidates := p.candidates(message)
	names := make([]string, 0, len(candidates))
	for each := range candidates {
		names = append(names, each)
	}
	slices.Sort(names)
	meant := diag.Suggest(name, names)
	if meant == "" {
		p.findings.Add(pos, diag.UnknownType,
			"message %s: there is no enum value %q in package %s or with that full name; import the enum's file, or add the value to an enum with the option kind_enum",
			message.Desc.FullName(), name, message.Desc.ParentFile().Package())
		return
	}
	found := candidates[meant]
	p.claimed[claim{found.enum, int32(found.Desc.Number())}] = true
	p.findings.Add(pos, diag.UnknownType, "message %s: there is no enum value %q; did you mean %q?",
		message.Desc.FullName(), name, meant)
}

// candidates are the values that a message may name, under the name that it would write.
func (p *parser) candidates(message *protogen.Message) map[string]*value {
	candidates := make(map[string]*value)
	for full, each := range p.enums.values {
		if each.enum.annotation == nil || each.Desc.Number() == 0 || isControl(each.EnumValue) {
			continue
		}
		name := string(full)
		if full.Parent() == message.Desc.ParentFile().Package() {
			name = string(full.Name())
		}
		candidates[name] = each
	}
	return candidates
}

// duplicates reports numbers that two kinds of the run have. Of the two, one of a file to generate is blamed.
func (p *parser) duplicates() {
	first := make(map[int32]*kind)
	for _, each := range p.kinds {
		other, taken := first[each.Number]
		if !taken {
			first[each.Number] = each
			continue
		}
		blamed := each
		if !blamed.file.Generate {
			blamed, other = other, each
		}
		if blamed.file.Generate {
			p.findings.Add(blamed.pos, diag.DuplicateKind,
				"message %s: number %d (%s) is the kind of %s already (%s); give it another value",
				blamed.Message, blamed.Number, blamed.ValueName, other.Message, other.pos)
		}
	}
}
