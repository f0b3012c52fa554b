package today

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// Audio is how a deployed peer reads the content of AUDIO.
type Audio struct {
	AudioID       string  `json:"audio_id"`
	AudioURL      string  `json:"audio_url,omitempty"`
	Duration      float64 `json:"duration"`
	Format        string  `json:"format,omitempty"`
	Size          int64   `json:"size,omitempty"`
	Transcription string  `json:"transcription,omitempty"`
}

// RichText is how it reads the content of RICH_TEXT.
type RichText struct {
	Type        string `json:"type"`
	Content     string `json:"content"`
	HTMLContent string `json:"html_content,omitempty"`
}

// System is how it reads the content of SYSTEM.
type System struct {
	EventType string            `json:"event_type"`
	EventData map[string]string `json:"event_data,omitempty"`
}

// Ack is how it reads the content of ACK.
type Ack struct {
	OriginalMessageID string `json:"original_message_id"`
	Success           bool   `json:"success"`
	ErrorMessage      string `json:"error_message,omitempty"`
}

// decode reads the content of a type of today into its plain struct, TEXT and HEARTBEAT into a string, and any other
// into raw bytes.
func decode(kind imv1.MessageType, content []byte) (any, error) {
	switch kind {
	case imv1.MessageType_MESSAGE_TYPE_TEXT, imv1.MessageType_MESSAGE_TYPE_HEARTBEAT:
		if !utf8.Valid(content) {
			return nil, errors.New("not UTF-8")
		}
		return string(content), nil
	case imv1.MessageType_MESSAGE_TYPE_AUDIO:
		return decodeJSON[Audio](content)
	case imv1.MessageType_MESSAGE_TYPE_RICH_TEXT:
		return decodeJSON[RichText](content)
	case imv1.MessageType_MESSAGE_TYPE_SYSTEM:
		return decodeJSON[System](content)
	case imv1.MessageType_MESSAGE_TYPE_ACK:
		return decodeJSON[Ack](content)
	case imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM, imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM:
		return decodeJSON[map[string]any](content)
	default:
		return content, nil
	}
}

func decodeJSON[T any](content []byte) (any, error) {
	var value T
	if len(content) == 0 {
		return value, nil
	}
	if err := json.Unmarshal(content, &value); err != nil {
		return nil, err
	}
	return value, nil
}

// JSON is what a deployed peer writes: json.Marshal of one of the plain structs.
func JSON[T Audio | RichText | System | Ack](value T) []byte {
	content, _ := json.Marshal(value) //nolint:errchkjson // the four structs have strings and numbers only
	return content
}
