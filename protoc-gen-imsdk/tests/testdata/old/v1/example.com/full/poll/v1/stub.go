package pollv1

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Type int32
const Type_TYPE_UNSPECIFIED Type = 0
const Type_TYPE_POLL Type = 1000
const Type_TYPE_VOTE Type = 1001
const Type_TYPE_RESULT Type = 1002
const Type_TYPE_CLOSE Type = 1003
const Type_TYPE_OPEN Type = 1004
const Type_TYPE_TICK Type = 1005
const Type_TYPE_RESERVED Type = 1006
type Poll struct{ proto.Message }
func (*Poll) ValidateAll() error { return nil }
type VoteContent struct{ proto.Message }
func (*VoteContent) ValidateAll() error { return nil }
type Poll_Option struct{ proto.Message }
func (*Poll_Option) ValidateAll() error { return nil }
type Poll_ByKeyEntry struct{ proto.Message }
func (*Poll_ByKeyEntry) ValidateAll() error { return nil }
type Result struct{ proto.Message }
func (*Result) ValidateAll() error { return nil }
type CloseContent struct{ proto.Message }
func (*CloseContent) ValidateAll() error { return nil }
type OpenContent struct{ proto.Message }
func (*OpenContent) ValidateAll() error { return nil }
type TickContent struct{ proto.Message }
func (*TickContent) ValidateAll() error { return nil }
type Unused struct{ proto.Message }
func (*Unused) ValidateAll() error { return nil }
type Result_VotesEntry struct{ proto.Message }
func (*Result_VotesEntry) ValidateAll() error { return nil }
