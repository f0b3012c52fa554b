package v1

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Ping struct{ proto.Message }
func (*Ping) ValidateAll() error { return nil }
