package diag

// Code names a rule. A code keeps its meaning for ever; a rule that goes away takes its code with it.
type Code string

const (
	// BadOption is a plugin option that does not exist or has a value that does not.
	BadOption Code = "IM001"
	// UnknownType is a type that names no enum value.
	UnknownType Code = "IM002"
	// MissingType is a kind without a type.
	MissingType Code = "IM003"
	// NotKindEnum is a value of an enum without the option kind_enum.
	NotKindEnum Code = "IM004"
	// ZeroValue is a kind with the number 0.
	ZeroValue Code = "IM005"
	// ControlValue is a kind with a number that the protocol uses for itself.
	ControlValue Code = "IM006"
	// DuplicateKind is a number that two kinds have.
	DuplicateKind Code = "IM007"
	// BadRange is an application's value below 1000, or one of the protocol from 1000 up.
	BadRange Code = "IM008"
	// NoKind is an enum value that no message has as its type.
	NoKind Code = "IM009"
	// NotRaw is ENCODING_RAW on a message that is not exactly one string or bytes field.
	NotRaw Code = "IM010"
	// NameClash is two kinds that would get the same name in Go, or one that would get a name that is taken.
	NameClash Code = "IM011"
	// NotTopLevel is a kind on a nested message or on a map's entry.
	NotTopLevel Code = "IM012"
	// BadAnnotation is an annotation with a value or a field that this plugin does not know.
	BadAnnotation Code = "IM013"
	// FieldClash is a field that protoc-gen-validate takes for another one.
	FieldClash Code = "IM014"
	// SplitPackage is one Go package that several proto packages or directories would write to, or that has messages and
	// would be written to.
	SplitPackage Code = "IM015"
	// NotValidated is a kind whose message protoc-gen-validate is told to leave out.
	NotValidated Code = "IM016"
	// NoEditions is a kind that protoc-gen-validate cannot serve: in a file of an edition, or with the opaque API.
	NoEditions Code = "IM017"
	// BadLock is a lock that is not there or has a line that is none.
	BadLock Code = "IM020"
	// StaleLock is a kind that the lock does not have, or one of the lock that the protos do not have.
	StaleLock Code = "IM021"
	// LockMismatch is a kind that the lock has otherwise: its number, its message, its encoding or its direction.
	LockMismatch Code = "IM022"
	// NoGroups is a group of proto2, which protoc-gen-validate does not know.
	NoGroups Code = "IM023"
)
