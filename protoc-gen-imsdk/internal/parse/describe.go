package parse

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"
)

// describe says in words what fields a message has.
func describe(fields []*protogen.Field) string {
	switch len(fields) {
	case 0:
		return "no field"
	case 1:
		field := fields[0].Desc
		switch {
		case field.IsMap():
			return fmt.Sprintf("a map, %s", field.Name())
		case field.IsList():
			return fmt.Sprintf("a repeated %s, %s", field.Kind(), field.Name())
		case inOneof(field):
			return fmt.Sprintf("a oneof, %s", field.ContainingOneof().Name())
		case isOptional(field):
			return fmt.Sprintf("an optional %s, %s", field.Kind(), field.Name())
		default:
			return fmt.Sprintf("a field of type %s, %s", field.Kind(), field.Name())
		}
	default:
		return fmt.Sprintf("%d fields", len(fields))
	}
}
