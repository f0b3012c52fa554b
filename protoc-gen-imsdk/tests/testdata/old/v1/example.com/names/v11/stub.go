package v1

import "google.golang.org/protobuf/proto"

var _ proto.Message
type Number int32
const Number_NUMBER_UNSPECIFIED Number = 0
const Number_PING Number = 1000
const Number_PONG Number = 1001
