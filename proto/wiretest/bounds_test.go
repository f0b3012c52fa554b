package wiretest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/envoyproxy/protoc-gen-validate/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// bytesOf is a text of that many bytes.
func bytesOf(n int) string { return strings.Repeat("x", n) }

// runesOf is a text of n bytes in n/2 characters: bounds count bytes.
func runesOf(n int) string { return strings.Repeat("é", n/2) + bytesOf(n%2) }

func entries(n int) map[string]string {
	metadata := make(map[string]string, n)
	for i := range n {
		metadata[fmt.Sprint("key", i)] = "value"
	}
	return metadata
}

// bounds has, for each bound, a message that just keeps it, one that just does not, and what the error says.
var bounds = map[string]struct {
	kept, broken validated
	field        string
}{
	"id of a request": {
		&imv1.MessageRequest{MessageId: runesOf(128)}, &imv1.MessageRequest{MessageId: runesOf(129)}, "MessageId",
	},
	"user of a request": {&imv1.MessageRequest{UserId: runesOf(128)}, &imv1.MessageRequest{UserId: runesOf(129)}, "UserId"},
	"room of a request": {&imv1.MessageRequest{RoomId: runesOf(128)}, &imv1.MessageRequest{RoomId: runesOf(129)}, "RoomId"},
	"metadata of a request": {
		&imv1.MessageRequest{Metadata: entries(64)}, &imv1.MessageRequest{Metadata: entries(65)}, "Metadata",
	},
	"content of a request": {
		&imv1.MessageRequest{Content: make([]byte, 4<<20)}, &imv1.MessageRequest{Content: make([]byte, 4<<20+1)}, "Content",
	},
	"messages of a frame of requests": {
		&imv1.MessageRequest{Messages: make([]*imv1.MessageRequest, 4096)},
		&imv1.MessageRequest{Messages: make([]*imv1.MessageRequest, 4097)}, "Messages",
	},
	"id of a response": {
		&imv1.MessageResponse{MessageId: runesOf(128)}, &imv1.MessageResponse{MessageId: runesOf(129)}, "MessageId",
	},
	"sender of a response": {
		&imv1.MessageResponse{FromUserId: runesOf(128)}, &imv1.MessageResponse{FromUserId: runesOf(129)}, "FromUserId",
	},
	"room of a response": {
		&imv1.MessageResponse{RoomId: runesOf(128)}, &imv1.MessageResponse{RoomId: runesOf(129)}, "RoomId",
	},
	"metadata of a response": {
		&imv1.MessageResponse{Metadata: entries(64)}, &imv1.MessageResponse{Metadata: entries(65)}, "Metadata",
	},
	"content of a response": {
		&imv1.MessageResponse{Content: make([]byte, 4<<20)}, &imv1.MessageResponse{Content: make([]byte, 4<<20+1)}, "Content",
	},
	"messages of a frame of responses": {
		&imv1.MessageResponse{Messages: make([]*imv1.MessageResponse, 4096)},
		&imv1.MessageResponse{Messages: make([]*imv1.MessageResponse, 4097)}, "Messages",
	},

	"room of a send, the longest":  {&imv1.SendMessageRequest{RoomId: runesOf(128)}, &imv1.SendMessageRequest{RoomId: runesOf(129)}, "RoomId"},
	"room of a send, the shortest": {&imv1.SendMessageRequest{RoomId: "r"}, &imv1.SendMessageRequest{}, "RoomId"},
	"user of a send": {
		&imv1.SendMessageRequest{RoomId: "r", UserId: runesOf(128)},
		&imv1.SendMessageRequest{RoomId: "r", UserId: runesOf(129)}, "UserId",
	},
	"id of a send": {
		&imv1.SendMessageRequest{RoomId: "r", MessageId: runesOf(128)},
		&imv1.SendMessageRequest{RoomId: "r", MessageId: runesOf(129)}, "MessageId",
	},
	"metadata of a send": {
		&imv1.SendMessageRequest{RoomId: "r", Metadata: entries(64)},
		&imv1.SendMessageRequest{RoomId: "r", Metadata: entries(65)}, "Metadata",
	},
	"content of a send": {
		&imv1.SendMessageRequest{RoomId: "r", Content: make([]byte, 4<<20)},
		&imv1.SendMessageRequest{RoomId: "r", Content: make([]byte, 4<<20+1)}, "Content",
	},
	"room of a join, the longest":  {&imv1.JoinRoomRequest{RoomId: runesOf(128)}, &imv1.JoinRoomRequest{RoomId: runesOf(129)}, "RoomId"},
	"room of a join, the shortest": {&imv1.JoinRoomRequest{RoomId: "r"}, &imv1.JoinRoomRequest{}, "RoomId"},
	"user of a join": {
		&imv1.JoinRoomRequest{RoomId: "r", UserId: runesOf(128)},
		&imv1.JoinRoomRequest{RoomId: "r", UserId: runesOf(129)}, "UserId",
	},
	"metadata of a join": {
		&imv1.JoinRoomRequest{RoomId: "r", Metadata: entries(64)},
		&imv1.JoinRoomRequest{RoomId: "r", Metadata: entries(65)}, "Metadata",
	},
	"room of a leave, the longest":  {&imv1.LeaveRoomRequest{RoomId: runesOf(128)}, &imv1.LeaveRoomRequest{RoomId: runesOf(129)}, "RoomId"},
	"room of a leave, the shortest": {&imv1.LeaveRoomRequest{RoomId: "r"}, &imv1.LeaveRoomRequest{}, "RoomId"},
	"user of a leave": {
		&imv1.LeaveRoomRequest{RoomId: "r", UserId: runesOf(128)},
		&imv1.LeaveRoomRequest{RoomId: "r", UserId: runesOf(129)}, "UserId",
	},
	"room of a question, the longest":  {&imv1.GetRoomInfoRequest{RoomId: runesOf(128)}, &imv1.GetRoomInfoRequest{RoomId: runesOf(129)}, "RoomId"},
	"room of a question, the shortest": {&imv1.GetRoomInfoRequest{RoomId: "r"}, &imv1.GetRoomInfoRequest{}, "RoomId"},
	"user of a question": {
		&imv1.GetRoomInfoRequest{RoomId: "r", UserId: runesOf(128)},
		&imv1.GetRoomInfoRequest{RoomId: "r", UserId: runesOf(129)}, "UserId",
	},
	"audio of a question, the longest":  {&imv1.TranscriptRequest{AudioId: runesOf(128)}, &imv1.TranscriptRequest{AudioId: runesOf(129)}, "AudioId"},
	"audio of a question, the shortest": {&imv1.TranscriptRequest{AudioId: "a"}, &imv1.TranscriptRequest{}, "AudioId"},
	"user of a question for a transcript": {
		&imv1.TranscriptRequest{AudioId: "a", UserId: runesOf(128)},
		&imv1.TranscriptRequest{AudioId: "a", UserId: runesOf(129)}, "UserId",
	},
	"service of a health check": {
		&imv1.HealthCheckRequest{Service: runesOf(256)}, &imv1.HealthCheckRequest{Service: runesOf(257)}, "Service",
	},
	"user of an upload":     {&imv1.AudioMetadata{UserId: runesOf(128)}, &imv1.AudioMetadata{UserId: runesOf(129)}, "UserId"},
	"room of an upload":     {&imv1.AudioMetadata{RoomId: runesOf(128)}, &imv1.AudioMetadata{RoomId: runesOf(129)}, "RoomId"},
	"format of an upload":   {&imv1.AudioMetadata{Format: runesOf(64)}, &imv1.AudioMetadata{Format: runesOf(65)}, "Format"},
	"size of an upload":     {&imv1.AudioMetadata{Size: 0}, &imv1.AudioMetadata{Size: -1}, "Size"},
	"duration of an upload": {&imv1.AudioMetadata{Duration: 0}, &imv1.AudioMetadata{Duration: -0.001}, "Duration"},
	"metadata within an upload": {
		&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Metadata{Metadata: &imv1.AudioMetadata{}}},
		&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Metadata{Metadata: &imv1.AudioMetadata{Size: -1}}}, "Size",
	},
	"chunk of an upload": {
		&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: make([]byte, 4<<20)}},
		&imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: make([]byte, 4<<20+1)}}, "Chunk",
	},

	"text, the longest":  {&imv1.TextContent{Text: runesOf(65536)}, &imv1.TextContent{Text: runesOf(65537)}, "Text"},
	"text, the shortest": {&imv1.TextContent{Text: "x"}, &imv1.TextContent{}, "Text"},
	"audio id, the longest": {
		&imv1.AudioContent{AudioId: runesOf(128)}, &imv1.AudioContent{AudioId: runesOf(129)}, "AudioId",
	},
	"audio id, the shortest": {&imv1.AudioContent{AudioId: "a"}, &imv1.AudioContent{}, "AudioId"},
	"audio's address": {
		&imv1.AudioContent{AudioId: "a", AudioUrl: runesOf(2048)},
		&imv1.AudioContent{AudioId: "a", AudioUrl: runesOf(2049)}, "AudioUrl",
	},
	"audio's duration": {
		&imv1.AudioContent{AudioId: "a", Duration: 0}, &imv1.AudioContent{AudioId: "a", Duration: -1}, "Duration",
	},
	"audio's format": {
		&imv1.AudioContent{AudioId: "a", Format: runesOf(64)}, &imv1.AudioContent{AudioId: "a", Format: runesOf(65)}, "Format",
	},
	"audio's size": {&imv1.AudioContent{AudioId: "a", Size: 0}, &imv1.AudioContent{AudioId: "a", Size: -1}, "Size"},
	"audio's transcription": {
		&imv1.AudioContent{AudioId: "a", Transcription: runesOf(65536)},
		&imv1.AudioContent{AudioId: "a", Transcription: runesOf(65537)}, "Transcription",
	},
	"rich text's type": {
		&imv1.RichTextContent{ContentType: runesOf(64)}, &imv1.RichTextContent{ContentType: runesOf(65)}, "ContentType",
	},
	"rich text": {
		&imv1.RichTextContent{RawContent: runesOf(65536)}, &imv1.RichTextContent{RawContent: runesOf(65537)}, "RawContent",
	},
	"rich text as HTML": {
		&imv1.RichTextContent{HtmlContent: runesOf(262144)}, &imv1.RichTextContent{HtmlContent: runesOf(262145)}, "HtmlContent",
	},
	"system's event": {
		&imv1.SystemContent{EventType: runesOf(128)}, &imv1.SystemContent{EventType: runesOf(129)}, "EventType",
	},
	"system's data":       {&imv1.SystemContent{EventData: entries(64)}, &imv1.SystemContent{EventData: entries(65)}, "EventData"},
	"users after a join":  {&imv1.JoinContent{UserCount: 0}, &imv1.JoinContent{UserCount: -1}, "UserCount"},
	"users after a leave": {&imv1.LeaveContent{UserCount: 0}, &imv1.LeaveContent{UserCount: -1}, "UserCount"},
	"reason of a leave":   {&imv1.LeaveContent{Reason: runesOf(128)}, &imv1.LeaveContent{Reason: runesOf(129)}, "Reason"},
}

func TestBoundsHold(t *testing.T) {
	t.Parallel()
	for name, test := range bounds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := test.kept.ValidateAll(); err != nil {
				t.Errorf("what just keeps the bound is refused: %v", err)
			}
			err := test.broken.ValidateAll()
			if err == nil {
				t.Fatal("what is just beyond the bound is taken")
			}
			if !strings.Contains(err.Error(), "."+test.field+": ") || strings.Contains(err.Error(), ";") {
				t.Errorf("the error is not about %s alone: %v", test.field, err)
			}
		})
	}
}

func TestEveryRuleHasItsBound(t *testing.T) {
	t.Parallel()
	tested := make(map[string]bool)
	for _, test := range bounds {
		tested[goName(test.broken.ProtoReflect().Descriptor().Name())+"."+test.field] = true
	}
	for _, file := range protoFiles() {
		for i := range file.Messages().Len() {
			message := file.Messages().Get(i)
			for j := range message.Fields().Len() {
				field := message.Fields().Get(j)
				name := goName(message.Name()) + "." + goName(field.Name())
				if proto.HasExtension(field.Options(), validate.E_Rules) && !tested[name] {
					t.Errorf("the bound of %s is not tested", field.FullName())
				}
			}
		}
	}
}

// goName is a name as protoc-gen-validate reports it.
func goName(name protoreflect.Name) string {
	var camel strings.Builder
	for word := range strings.SplitSeq(string(name), "_") {
		camel.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return camel.String()
}
