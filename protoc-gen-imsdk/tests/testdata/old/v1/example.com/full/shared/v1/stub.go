package sharedv1

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Author struct{ proto.Message }
func (*Author) ValidateAll() error { return nil }
