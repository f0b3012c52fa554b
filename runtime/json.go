package runtime

import (
	"errors"

	"google.golang.org/protobuf/proto"
)

func marshalJSON(content proto.Message) ([]byte, error)    { return nil, errors.New("TODO") }
func unmarshalJSON(raw []byte, content proto.Message) error { return errors.New("TODO") }
