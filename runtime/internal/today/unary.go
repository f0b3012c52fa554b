package today

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

type audio struct {
	metadata *imv1.AudioMetadata
	bytes    []byte
}

// Audio gives the bytes of an uploaded audio, and whether there is one.
func (s *Server) Audio(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.audios[id]
	if !ok {
		return nil, false
	}
	return slices.Clone(stored.bytes), true
}

// SendMessage hands a message to everybody in the room, without joining it.
func (s *Server) SendMessage(
	_ context.Context, request *imv1.SendMessageRequest,
) (*imv1.SendMessageResponse, error) {
	who := "server, SendMessage of " + request.GetUserId()
	s.named("SendMessage", request.GetUserId())
	s.checkType(who, "", request.GetType())
	s.checkContent(who, "", request.GetType(), request.GetContent())
	message := s.said(request.GetUserId(), &imv1.MessageRequest{
		RoomId: request.GetRoomId(), Type: request.GetType(), Content: request.GetContent(),
		Metadata: request.GetMetadata(),
	})
	message.AckRequired = request.GetAckRequired()
	s.fanOut(message, s.notTo(request.GetUserId()))
	return &imv1.SendMessageResponse{
		MessageId: message.GetMessageId(), Timestamp: timestamppb.Now(), Status: s.success(),
	}, nil
}

// UploadAudio takes an audio in pieces.
func (s *Server) UploadAudio(
	pieces grpc.ClientStreamingServer[imv1.UploadAudioRequest, imv1.UploadAudioResponse],
) error {
	var stored audio
	for {
		piece, err := pieces.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch data := piece.GetData().(type) {
		case *imv1.UploadAudioRequest_Metadata:
			if stored.metadata != nil || len(stored.bytes) > 0 {
				s.addf("server: UploadAudio sends its metadata late or twice")
			}
			stored.metadata = data.Metadata
		case *imv1.UploadAudioRequest_Chunk:
			if len(data.Chunk) > 1<<20 {
				s.addf("server: UploadAudio sends a chunk of %d bytes", len(data.Chunk))
			}
			stored.bytes = append(stored.bytes, data.Chunk...)
		default:
			s.addf("server: UploadAudio sends a piece of nothing")
		}
	}
	if stored.metadata == nil {
		s.addf("server: UploadAudio without metadata")
	}
	s.named("UploadAudio", stored.metadata.GetUserId())
	if size := stored.metadata.GetSize(); size != 0 && size != int64(len(stored.bytes)) {
		s.addf("server: UploadAudio states %d bytes and sends %d", size, len(stored.bytes))
	}
	s.mu.Lock()
	id := s.newID("audio")
	s.audios[id] = &stored
	s.mu.Unlock()
	return pieces.SendAndClose(&imv1.UploadAudioResponse{
		Status: s.success(), AudioId: id, AudioUrl: "https://example.com/" + id,
	})
}

// GetAudioTranscript has one for each audio.
func (s *Server) GetAudioTranscript(
	_ context.Context, request *imv1.TranscriptRequest,
) (*imv1.TranscriptResponse, error) {
	s.named("GetAudioTranscript", request.GetUserId())
	if _, ok := s.Audio(request.GetAudioId()); !ok {
		return &imv1.TranscriptResponse{Status: &imv1.ResponseStatus{Code: 404, Message: "audio not found"}}, nil
	}
	return &imv1.TranscriptResponse{
		Status: s.success(),
		Transcription: &imv1.Transcription{
			AudioId: request.GetAudioId(), Text: "transcript of " + request.GetAudioId(), Confidence: 0.9,
			Status: imv1.TranscriptStatus_TRANSCRIPT_STATUS_COMPLETED,
		},
	}, nil
}

// HealthCheck says SERVING.
func (s *Server) HealthCheck(context.Context, *imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
	return &imv1.HealthCheckResponse{Status: imv1.HealthStatus_HEALTH_STATUS_SERVING, Message: "ok"}, nil
}
