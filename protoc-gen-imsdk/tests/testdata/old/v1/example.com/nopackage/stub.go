package nopackage

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Note struct{ proto.Message }
func (*Note) ValidateAll() error { return nil }
type Type int32
const Type_NONE Type = 0
const Type_NOTE Type = 1000
const Type_GONE Type = 1001
