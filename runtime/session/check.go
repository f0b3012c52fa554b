package session

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"google.golang.org/grpc/codes"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

const (
	maxIDBytes         = 128
	maxMetadataEntries = 64
	// maxMessageBytes is what a gRPC server takes unless it was told otherwise. A larger message would end the stream.
	maxMessageBytes = 4 << 20
)

// checkID says what is wrong with a user, room or message id.
func checkID(what, id string) error {
	if reason := idReason(id, 1); reason != "" {
		return fmt.Errorf("%s %s", what, reason)
	}
	return nil
}

// idReason says which rule an id breaks, without the id itself.
func idReason(id string, least int) string {
	switch {
	case len(id) < least:
		return "is empty: give 1 to 128 bytes"
	case len(id) > maxIDBytes:
		return "has " + strconv.Itoa(len(id)) + " bytes: at most 128 are allowed"
	case !utf8.ValidString(id):
		return "is not valid UTF-8"
	default:
		return ""
	}
}

// checkEnvelope checks what protobuf and the protocol ask of an envelope. What it lets pass cannot break the stream.
func checkEnvelope(out *runtime.Outgoing, raw []byte) error {
	var found []runtime.Violation
	add := func(path, reason string) {
		if reason != "" {
			found = append(found, runtime.Violation{Path: path, Reason: reason})
		}
	}
	add("room_id", idReason(out.RoomID, 1))
	add("message_id", idReason(out.ID, 0))
	if len(out.Metadata) > maxMetadataEntries {
		add("metadata", fmt.Sprintf("has %d entries: at most %d are allowed", len(out.Metadata), maxMetadataEntries))
	}
	for key, value := range out.Metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			add("metadata", "has a key or value that is not valid UTF-8")
			break
		}
	}
	if len(raw) > maxMessageBytes {
		add("content", fmt.Sprintf("has %d bytes: at most %d are allowed", len(raw), maxMessageBytes))
	}
	if len(found) == 0 {
		return nil
	}
	return &runtime.Error{Code: codes.InvalidArgument, Message: "invalid message", Violations: found}
}

// checkType says whether an application may send a kind number at all.
func checkType(number int32) error {
	const firstControl, lastControl = 16, 63
	var reason string
	switch kind := imv1.MessageType(number); {
	case kind == imv1.MessageType_MESSAGE_TYPE_UNSPECIFIED, number < 0:
		reason = "is no kind: give the number of one"
	case kind == imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		reason = "is HEARTBEAT, which the session sends by itself"
	case number >= firstControl && number <= lastControl:
		reason = "is a control frame of the protocol, which only the session sends"
	default:
		return nil
	}
	return &runtime.Error{
		Code: codes.InvalidArgument, Message: "invalid message",
		Violations: []runtime.Violation{{Path: "type", Reason: strconv.Itoa(int(number)) + " " + reason}},
	}
}

// inSend fills in what a check does not know.
func inSend(op string, out *runtime.Outgoing, err error) error {
	typed, ok := err.(*runtime.Error) //nolint:errorlint // what the checks above and Encode return
	if !ok {
		return &runtime.Error{
			Op: op, Code: codes.InvalidArgument, Kind: kindName(out), RoomID: out.RoomID, MessageID: out.ID, Err: err,
		}
	}
	filled := *typed
	filled.Op, filled.RoomID, filled.MessageID = op, out.RoomID, out.ID
	if filled.Kind == "" {
		filled.Kind = kindName(out)
	}
	return &filled
}

func kindName(out *runtime.Outgoing) string {
	if out.Kind != nil {
		return out.Kind.Name
	}
	return ""
}
