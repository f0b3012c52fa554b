package wiretest_test

// The deployed protocol, word for word: nobody may change a line. What this project adds takes numbers from 16 up.

// deployedMessages has each message's fields: name, type, number.
const deployedMessages = `
MessageRequest: message_id string=1, user_id string=2, room_id string=3, type MessageType=4, content bytes=5, metadata map=6, timestamp Timestamp=7
MessageResponse: message_id string=1, from_user_id string=2, room_id string=3, type MessageType=4, content bytes=5, timestamp Timestamp=6, metadata map=7, ack_required bool=8
SendMessageRequest: user_id string=1, room_id string=2, type MessageType=3, content bytes=4, metadata map=5, ack_required bool=6
SendMessageResponse: message_id string=1, timestamp Timestamp=2, status ResponseStatus=3
JoinRoomRequest: user_id string=1, room_id string=2, metadata map=3
JoinRoomResponse: status ResponseStatus=1, room_info RoomInfo=2, online_users repeated string=3
LeaveRoomRequest: user_id string=1, room_id string=2
LeaveRoomResponse: status ResponseStatus=1
GetRoomInfoRequest: room_id string=1, user_id string=2
GetRoomInfoResponse: status ResponseStatus=1, room_info RoomInfo=2, users repeated RoomUser=3
RoomInfo: room_id string=1, name string=2, description string=3, config RoomConfig=4, created_at Timestamp=5, last_active Timestamp=6, message_count int64=7, user_count int32=8
RoomConfig: max_users int32=1, persistent bool=2, message_ttl_seconds int64=3, idle_timeout_seconds int64=4, allow_audio bool=5, allow_rich_text bool=6, auto_transcribe bool=7
RoomUser: user_id string=1, nickname string=2, role UserRole=3, muted bool=4, joined_at Timestamp=5
TranscriptRequest: audio_id string=1, user_id string=2
TranscriptResponse: status ResponseStatus=1, transcription Transcription=2
Transcription: audio_id string=1, text string=2, confidence double=3, status TranscriptStatus=4, created_at Timestamp=5, updated_at Timestamp=6
UploadAudioRequest: metadata oneof data AudioMetadata=1, chunk oneof data bytes=2
AudioMetadata: user_id string=1, room_id string=2, format string=3, size int64=4, duration double=5
UploadAudioResponse: status ResponseStatus=1, audio_id string=2, audio_url string=3
HealthCheckRequest: service string=1
HealthCheckResponse: status HealthStatus=1, message string=2
ResponseStatus: code int32=1, message string=2, details map=3
TextContent: text string=1
AudioContent: audio_id string=1, audio_url string=2, duration double=3, format string=4, size int64=5, transcription string=6
RichTextContent: content_type string=1, raw_content string=2, html_content string=3
SystemContent: event_type string=1, event_data map=2
AckContent: original_message_id string=1, success bool=2, error_message string=3
`

// deployedEnums has each enum's values without the prefix that they carry: MESSAGE_TYPE_TEXT.
const deployedEnums = `
MessageType: UNSPECIFIED=0, TEXT=1, AUDIO=2, RICH_TEXT=3, SYSTEM=4, ACK=5, JOIN_ROOM=6, LEAVE_ROOM=7, HEARTBEAT=8
UserRole: UNSPECIFIED=0, USER=1, MODERATOR=2, ADMIN=3
TranscriptStatus: UNSPECIFIED=0, PENDING=1, PROCESSING=2, COMPLETED=3, FAILED=4
HealthStatus: UNSPECIFIED=0, SERVING=1, NOT_SERVING=2, SERVICE_UNKNOWN=3
`

// deployedMethods has IMService's.
const deployedMethods = `
StreamMessages: stream MessageRequest, stream MessageResponse
SendMessage: SendMessageRequest, SendMessageResponse
JoinRoom: JoinRoomRequest, JoinRoomResponse
LeaveRoom: LeaveRoomRequest, LeaveRoomResponse
GetRoomInfo: GetRoomInfoRequest, GetRoomInfoResponse
GetAudioTranscript: TranscriptRequest, TranscriptResponse
UploadAudio: stream UploadAudioRequest, UploadAudioResponse
HealthCheck: HealthCheckRequest, HealthCheckResponse
`

// addedMessages are messages of im.v1 that no deployed peer knows: what stands in `content` is empty or any JSON there.
var addedMessages = []string{"JoinContent", "LeaveContent"}
