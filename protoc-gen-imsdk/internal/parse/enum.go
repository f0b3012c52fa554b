package parse

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/lock"
)

// firstApplicationKind is the smallest number of an application's kind (options.proto).
const firstApplicationKind = 1000

// enum is an enum of the request, to be generated or not.
type enum struct {
	*protogen.Enum
	file *protogen.File
	// annotation is nil if the enum is no place for kinds.
	annotation *imsdkv1.KindEnum
}

// value is one of its values.
type value struct {
	*protogen.EnumValue
	enum *enum
}

// enumIndex knows all enums of the request: a type may be a value of an imported one.
type enumIndex struct {
	enums  []*enum
	values map[protoreflect.FullName]*value
}

func newEnumIndex(files []*protogen.File) *enumIndex {
	index := &enumIndex{values: make(map[protoreflect.FullName]*value)}
	for _, file := range files {
		index.add(file, file.Enums)
		for _, message := range file.Messages {
			index.addNested(file, message)
		}
	}
	return index
}

func (i *enumIndex) addNested(file *protogen.File, message *protogen.Message) {
	i.add(file, message.Enums)
	for _, nested := range message.Messages {
		i.addNested(file, nested)
	}
}

func (i *enumIndex) add(file *protogen.File, enums []*protogen.Enum) {
	for _, each := range enums {
		found := &enum{Enum: each, file: file}
		if options := each.Desc.Options(); proto.HasExtension(options, imsdkv1.E_KindEnum) {
			found.annotation, _ = proto.GetExtension(options, imsdkv1.E_KindEnum).(*imsdkv1.KindEnum)
		}
		i.enums = append(i.enums, found)
		for _, eachValue := range each.Values {
			i.values[eachValue.Desc.FullName()] = &value{EnumValue: eachValue, enum: found}
		}
	}
}

func isControl(value *protogen.EnumValue) bool {
	options := value.Desc.Options()
	if !proto.HasExtension(options, imsdkv1.E_Control) {
		return false
	}
	control, ok := proto.GetExtension(options, imsdkv1.E_Control).(bool)
	return ok && control
}

// isControlNumber tells whether a value, or an alias of it, is marked as control.
func (e *enum) isControlNumber(number protoreflect.EnumNumber) bool {
	return slices.ContainsFunc(e.Values, func(each *protogen.EnumValue) bool {
		return each.Desc.Number() == number && isControl(each)
	})
}

// checkEnums reports what is wrong with the enums of the files to generate, whatever messages say.
func (p *parser) checkEnums() {
	for _, each := range p.enums.enums {
		switch {
		case !each.file.Generate:
		case each.annotation == nil:
			p.strayControls(each)
		default:
			knownFields(p.findings, each.Desc, kindEnumPosition(each), each.annotation)
			p.ranges(each)
		}
	}
}

// strayControls reports values that are marked as control in an enum without kinds.
func (p *parser) strayControls(enum *enum) {
	for _, each := range enum.Values {
		if isControl(each) {
			p.findings.Add(controlPosition(enum.file, each), diag.NotKindEnum,
				"enum value %s is marked as control, but enum %s has no kinds; add `option (imsdk.v1.kind_enum) = {};` to the enum, or remove the mark",
				each.Desc.Name(), enum.Desc.FullName())
		}
	}
}

// ranges reports values outside the numbers that the enum may use.
func (p *parser) ranges(enum *enum) {
	for _, each := range enum.Values {
		number := each.Desc.Number()
		pos := position(enum.file.Desc, each.Location, nil)
		switch protocol := enum.annotation.GetProtocol(); {
		case number == 0:
		case !protocol && number < firstApplicationKind:
			p.findings.Add(pos, diag.BadRange,
				"enum value %s: %d belongs to the protocol, an application's kinds start at %d; write a number from %d up (%d, say)",
				each.Desc.Name(), number, firstApplicationKind, firstApplicationKind, firstApplicationKind+max(number, 0))
		case protocol && (number >= firstApplicationKind || number < 0):
			p.findings.Add(pos, diag.BadRange,
				"enum value %s: %d is no number of the protocol, whose kinds lie below %d; write a smaller one, or remove `protocol: true` from enum %s",
				each.Desc.Name(), number, firstApplicationKind, enum.Desc.FullName())
		}
	}
}

// valuesWithoutKind reports values that nothing uses, of enums that something uses. The message may be in a directory or
// file that is another run's, so it takes the lock, which knows them all, or a run that has all protos.
func (p *parser) valuesWithoutKind() {
	if p.config.Lock == nil {
		return
	}
	var searched, hint string
	if !p.config.RenewLock {
		searched = " of this run or of the lock"
		hint = fmt.Sprintf("; if it is the type of a new message in another directory: `%s`", lock.Command(p.config.Lock.Path()))
	}
	inUse := make(map[*enum]bool)
	for each := range p.claimed {
		inUse[each.enum] = true
	}
	for _, each := range p.enums.enums {
		if !each.file.Generate || each.annotation == nil || !inUse[each] {
			continue
		}
		for _, value := range each.Values {
			number := int32(value.Desc.Number())
			if number == 0 || each.isControlNumber(value.Desc.Number()) || p.claimed[claim{each, number}] || p.lockedElsewhere(number) {
				continue
			}
			p.findings.Add(position(each.file.Desc, value.Location, nil), diag.NoKind,
				"enum value %s: no message%s has it as its type; annotate one with `option (imsdk.v1.kind) = {type: %q};`, or remove the value and reserve %d, or mark it with `[(imsdk.v1.control) = true]`%s",
				value.Desc.Name(), searched, value.Desc.Name(), number, hint)
		}
	}
}

// lockedElsewhere tells whether the lock knows a number of a run that does not have all protos.
func (p *parser) lockedElsewhere(number int32) bool {
	kind, ok := p.config.Lock.Number(number)
	return ok && !kind.Removed && !p.config.RenewLock
}
