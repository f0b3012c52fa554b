package wiretest_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// kinds are those whose contents this project reads; ACK and HEARTBEAT have none.
var kinds = map[imv1.MessageType]*runtime.Kind{
	imv1.MessageType_MESSAGE_TYPE_TEXT:       &imv1sdk.KindText.Kind,
	imv1.MessageType_MESSAGE_TYPE_AUDIO:      &imv1sdk.KindAudio.Kind,
	imv1.MessageType_MESSAGE_TYPE_RICH_TEXT:  &imv1sdk.KindRichText.Kind,
	imv1.MessageType_MESSAGE_TYPE_SYSTEM:     &imv1sdk.KindSystem.Kind,
	imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM:  &imv1sdk.KindJoin.Kind,
	imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM: &imv1sdk.KindLeave.Kind,
}

// validated is what protoc-gen-validate generates.
type validated interface {
	proto.Message
	ValidateAll() error
}

// deployedRequests is what deployed clients send on the stream, with what is read out of the content.
var deployedRequests = map[string]struct {
	request *imv1.MessageRequest
	content proto.Message
}{
	"a heartbeat without id, room and time": {
		&imv1.MessageRequest{UserId: "user001", Type: imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, Content: []byte("ping")}, nil,
	},
	"a heartbeat with nothing": {&imv1.MessageRequest{Type: imv1.MessageType_MESSAGE_TYPE_HEARTBEAT}, nil},
	"text": {
		&imv1.MessageRequest{
			MessageId: "m1", UserId: "user001", RoomId: "room001", Type: imv1.MessageType_MESSAGE_TYPE_TEXT,
			Content: []byte("hello, 世界"), Timestamp: timestamppb.Now(),
		},
		&imv1.TextContent{Text: "hello, 世界"},
	},
	"audio": {
		&imv1.MessageRequest{
			MessageId: "m1", UserId: "user001", RoomId: "room001", Type: imv1.MessageType_MESSAGE_TYPE_AUDIO,
			Content: []byte(`{"audio_id":"a1","duration":30.5}`),
		},
		&imv1.AudioContent{AudioId: "a1", Duration: 30.5},
	},
	"audio of a duration and size that nobody knows": {
		&imv1.MessageRequest{
			Type:    imv1.MessageType_MESSAGE_TYPE_AUDIO,
			Content: []byte(`{"audio_id":"a1","audio_url":"","duration":0,"format":"","size":0,"transcription":""}`),
		},
		&imv1.AudioContent{AudioId: "a1"},
	},
	"audio of an unknown format": {
		&imv1.MessageRequest{
			Type: imv1.MessageType_MESSAGE_TYPE_AUDIO, Content: []byte(`{"audio_id":"a1","format":"x-new"}`),
		},
		&imv1.AudioContent{AudioId: "a1", Format: "x-new"},
	},
	"rich text": {
		&imv1.MessageRequest{
			MessageId: "m1", UserId: "user001", RoomId: "room001", Type: imv1.MessageType_MESSAGE_TYPE_RICH_TEXT,
			Content:  []byte(`{"type":"markdown","content":"**bold**"}`),
			Metadata: map[string]string{"format": "markdown"},
		},
		&imv1.RichTextContent{ContentType: "markdown", RawContent: "**bold**"},
	},
	"rich text of an unknown type": {
		&imv1.MessageRequest{
			Type: imv1.MessageType_MESSAGE_TYPE_RICH_TEXT, Content: []byte(`{"type":"asciidoc","content":"*x*"}`),
		},
		&imv1.RichTextContent{ContentType: "asciidoc", RawContent: "*x*"},
	},
	"an acknowledgement": {
		&imv1.MessageRequest{
			UserId: "user001", Type: imv1.MessageType_MESSAGE_TYPE_ACK,
			Content: []byte(`{"original_message_id":"m1","success":true}`),
		}, nil,
	},
	"a type that nobody knows": {&imv1.MessageRequest{Type: 4711, Content: []byte{0xff}}, nil},
	"nothing at all":           {&imv1.MessageRequest{}, nil},
}

// deployedResponses is what deployed servers send on the stream, with what is read out of the content.
var deployedResponses = map[string]struct {
	response *imv1.MessageResponse
	content  proto.Message
}{
	"a heartbeat": {&imv1.MessageResponse{Type: imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, Content: []byte("pong")}, nil},
	"text": {
		&imv1.MessageResponse{
			MessageId: "m1", FromUserId: "user002", RoomId: "room001", Type: imv1.MessageType_MESSAGE_TYPE_TEXT,
			Content: []byte("hi"), Timestamp: timestamppb.Now(), AckRequired: true,
		},
		&imv1.TextContent{Text: "hi"},
	},
	"system without sender, id and room": {
		&imv1.MessageResponse{
			Type:    imv1.MessageType_MESSAGE_TYPE_SYSTEM,
			Content: []byte(`{"event_type":"user_joined","event_data":{"user_id":"user002"}}`),
		},
		&imv1.SystemContent{EventType: "user_joined", EventData: map[string]string{"user_id": "user002"}},
	},
	"system of an unknown event, with null": {
		&imv1.MessageResponse{
			Type: imv1.MessageType_MESSAGE_TYPE_SYSTEM, Content: []byte(`{"event_type":"weather","event_data":null,"more":[1]}`),
		},
		&imv1.SystemContent{EventType: "weather"},
	},
	"system with no content": {
		&imv1.MessageResponse{Type: imv1.MessageType_MESSAGE_TYPE_SYSTEM}, &imv1.SystemContent{},
	},
	"a join without content": {
		&imv1.MessageResponse{
			FromUserId: "user002", RoomId: "room001", Type: imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM,
			Metadata: map[string]string{"nickname": "Ann", "role": "admin"},
		},
		&imv1.JoinContent{},
	},
	"a join with JSON of the server's own": {
		&imv1.MessageResponse{
			FromUserId: "user002", Type: imv1.MessageType_MESSAGE_TYPE_JOIN_ROOM, Content: []byte(`{"user_id":"user002"}`),
		},
		&imv1.JoinContent{},
	},
	"a leave without content": {
		&imv1.MessageResponse{FromUserId: "user002", Type: imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM},
		&imv1.LeaveContent{},
	},
	"a leave with JSON null": {
		&imv1.MessageResponse{Type: imv1.MessageType_MESSAGE_TYPE_LEAVE_ROOM, Content: []byte(`null`)},
		&imv1.LeaveContent{},
	},
	"nothing at all": {&imv1.MessageResponse{}, nil},
}

// deployedOthers is what else deployed peers send.
var deployedOthers = map[string]validated{
	"a first piece of an upload without format and duration": &imv1.UploadAudioRequest{
		Data: &imv1.UploadAudioRequest_Metadata{Metadata: &imv1.AudioMetadata{UserId: "user001", Duration: 0}},
	},
	"a first piece of an upload with nothing": &imv1.UploadAudioRequest{
		Data: &imv1.UploadAudioRequest_Metadata{Metadata: &imv1.AudioMetadata{}},
	},
	"a chunk":                             &imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: make([]byte, 1<<20)}},
	"an empty chunk":                      &imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{}},
	"a piece with nothing":                &imv1.UploadAudioRequest{},
	"a send without user":                 &imv1.SendMessageRequest{RoomId: "room001", Type: 1, Content: []byte("hi")},
	"a send without content":              &imv1.SendMessageRequest{UserId: "user001", RoomId: "room001", Type: 6},
	"a join":                              &imv1.JoinRoomRequest{UserId: "user001", RoomId: "room001"},
	"a leave":                             &imv1.LeaveRoomRequest{UserId: "user001", RoomId: "room001"},
	"a question for a room":               &imv1.GetRoomInfoRequest{RoomId: "room001"},
	"a question for a transcript":         &imv1.TranscriptRequest{AudioId: "a1"},
	"a health check of the whole":         &imv1.HealthCheckRequest{},
	"an empty answer to a send":           &imv1.SendMessageResponse{},
	"an empty answer to a join":           &imv1.JoinRoomResponse{},
	"an empty answer to a leave":          &imv1.LeaveRoomResponse{},
	"an empty answer about a room":        &imv1.GetRoomInfoResponse{},
	"an empty answer about a transcript":  &imv1.TranscriptResponse{},
	"an empty answer to an upload":        &imv1.UploadAudioResponse{},
	"an empty answer to a health check":   &imv1.HealthCheckResponse{},
	"a room with a negative count":        &imv1.GetRoomInfoResponse{RoomInfo: &imv1.RoomInfo{MessageCount: -1, UserCount: -1}},
	"a transcript without any confidence": &imv1.TranscriptResponse{Transcription: &imv1.Transcription{Confidence: -1}},
	"a status with an unknown code":       &imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: 40301, Message: "no"}},
}

// wantValid sends a message through the wire and validates what arrives.
func wantValid(t *testing.T, message validated) {
	t.Helper()
	raw, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	arrived, ok := message.ProtoReflect().New().Interface().(validated)
	if !ok {
		t.Fatalf("%T has no rules", message)
	}
	if err := proto.Unmarshal(raw, arrived); err != nil {
		t.Fatal(err)
	}
	if err := arrived.ValidateAll(); err != nil {
		t.Errorf("what a deployed peer sends is refused: %v", err)
	}
}

// wantContent reads a content as both sides do.
func wantContent(t *testing.T, number imv1.MessageType, raw []byte, want proto.Message) {
	t.Helper()
	kind := kinds[number]
	if want == nil {
		if kind != nil {
			t.Fatalf("this test does not say what is read out of a %s", kind)
		}
		return
	}
	content, err := kind.Decode(raw)
	if err != nil {
		t.Fatalf("what a deployed peer sends is not read: %v", err)
	}
	if err := kind.Check(content); err != nil {
		t.Errorf("what a deployed peer sends is refused: %v", err)
	}
	if !proto.Equal(content, want) {
		t.Errorf("got  %v\nwant %v", content, want)
	}
}

func TestNothingThatADeployedClientSendsIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range deployedRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantValid(t, test.request)
			wantContent(t, test.request.GetType(), test.request.GetContent(), test.content)
		})
	}
}

func TestNothingThatADeployedServerSendsIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range deployedResponses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantValid(t, test.response)
			wantContent(t, test.response.GetType(), test.response.GetContent(), test.content)
		})
	}
}

func TestNothingElseThatDeployedPeersSendIsRefused(t *testing.T) {
	t.Parallel()
	for name, message := range deployedOthers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantValid(t, message)
		})
	}
}

func TestPlainTextInASystemMessageReachesTheApplication(t *testing.T) {
	t.Parallel()
	var router runtime.Router
	if err := router.Add(runtime.Registration{Routes: []runtime.Route{runtime.On(imv1sdk.KindSystem, nil)}}); err != nil {
		t.Fatal(err)
	}
	in := &runtime.Incoming{
		Type:     int32(imv1.MessageType_MESSAGE_TYPE_SYSTEM),
		Envelope: runtime.Envelope{Raw: []byte("the server restarts at noon")},
	}
	router.Decode(in)
	if in.Err == nil || in.Content != nil || string(in.Raw) != "the server restarts at noon" {
		t.Errorf("got %+v", in)
	}
}
