package av1

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Note struct{ proto.Message }
func (*Note) ValidateAll() error { return nil }
type Type int32
const Type_TYPE_UNSPECIFIED Type = 0
const Type_TYPE_NOTE Type = 1000
