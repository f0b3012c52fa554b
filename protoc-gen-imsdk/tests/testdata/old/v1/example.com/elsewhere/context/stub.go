package context

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Registry struct{ proto.Message }
func (*Registry) ValidateAll() error { return nil }
type Registry_Kind int32
const Registry_UNSPECIFIED Registry_Kind = 0
const Registry_CHAT_CONTENT Registry_Kind = 2000
const Registry_CHAT_TYPING Registry_Kind = 2001
const Registry_SOMEBODY_ELSES Registry_Kind = 2002
