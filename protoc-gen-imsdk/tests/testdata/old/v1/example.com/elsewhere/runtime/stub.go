package runtime

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Content struct{ proto.Message }
func (*Content) ValidateAll() error { return nil }
type XTypingContent struct{ proto.Message }
func (*XTypingContent) ValidateAll() error { return nil }
