package plain

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Plain struct{ proto.Message }
func (*Plain) ValidateAll() error { return nil }
