package Handlers

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Pong struct{ proto.Message }
func (*Pong) ValidateAll() error { return nil }
