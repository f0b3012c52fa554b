package server

import (
	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/internal/rules"
)

// requestRules has the rules of every request and envelope.
type requestRules struct {
	envelope, send, join, leave, roomInfo, transcript, health, audio, audioPiece rules.Rules
}

func newRequestRules() requestRules {
	return requestRules{
		envelope:   rules.Of((*imv1.MessageRequest).ValidateAll),
		send:       rules.Of((*imv1.SendMessageRequest).ValidateAll),
		join:       rules.Of((*imv1.JoinRoomRequest).ValidateAll),
		leave:      rules.Of((*imv1.LeaveRoomRequest).ValidateAll),
		roomInfo:   rules.Of((*imv1.GetRoomInfoRequest).ValidateAll),
		transcript: rules.Of((*imv1.TranscriptRequest).ValidateAll),
		health:     rules.Of((*imv1.HealthCheckRequest).ValidateAll),
		audio:      rules.Of((*imv1.AudioMetadata).ValidateAll),
		audioPiece: rules.Of((*imv1.UploadAudioRequest).ValidateAll),
	}
}
