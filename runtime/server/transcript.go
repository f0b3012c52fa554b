package server

import (
	"context"
	"errors"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Transcript is what is said in an audio, or how far that is known.
type Transcript struct {
	// Status is how far it is.
	Status imv1.TranscriptStatus
	// Text is what was said, once Status is COMPLETED.
	Text string
	// Confidence is how sure the recogniser is, 0 to 1.
	Confidence float64
	// Created and Updated are when it was begun and when it last changed; zero if not known.
	Created, Updated time.Time
	// Message says why it failed, if it did.
	Message string
}

// GetAudioTranscript asks the operator's transcriber. Without one the transcript has the status FAILED and says why. An audio
// that the store does not have is NOT_FOUND.
func (s *Server) GetAudioTranscript(ctx context.Context, request *imv1.TranscriptRequest) (*imv1.TranscriptResponse, error) {
	s.serve()
	if err := s.rules.transcript.Check(request); err != nil {
		return nil, err
	}
	if _, err := s.callerOf(ctx, request.GetUserId()); err != nil {
		return nil, err
	}
	audio, err := s.audioInfo(ctx, request.GetAudioId())
	if err != nil {
		return nil, err
	}
	if s.config.transcriber == nil {
		return &imv1.TranscriptResponse{
			Status: responseStatus(refuse(codes.Unimplemented,
				"this server transcribes no audio: its operator has given it no transcriber")),
			Transcription: &imv1.Transcription{
				AudioId: audio.ID, Status: imv1.TranscriptStatus_TRANSCRIPT_STATUS_FAILED,
			},
		}, nil
	}
	return s.transcribe(ctx, audio)
}

func (s *Server) audioInfo(ctx context.Context, id string) (audio Audio, err error) {
	if panicked := s.guard("audio store", func() { audio, err = s.config.audio.Stat(ctx, id) }); panicked != nil {
		return Audio{}, panicked
	}
	switch {
	case errors.Is(err, ErrNoAudio):
		return Audio{}, refuse(codes.NotFound, "there is no audio %q on this server", id)
	case err != nil:
		return Audio{}, s.hide(err, "the audio could not be looked up")
	default:
		return audio, nil
	}
}

func (s *Server) transcribe(ctx context.Context, audio Audio) (*imv1.TranscriptResponse, error) {
	var found Transcript
	var err error
	panicked := s.guard("transcriber", func() { found, err = s.config.transcriber.Transcript(ctx, audio) })
	if panicked != nil {
		return nil, panicked
	}
	if err != nil {
		return nil, s.hide(err, "the audio could not be transcribed")
	}
	response := &imv1.TranscriptResponse{
		Status: responseStatus(nil),
		Transcription: &imv1.Transcription{
			AudioId: audio.ID, Text: found.Text, Confidence: found.Confidence, Status: found.Status,
			CreatedAt: timestampOf(found.Created), UpdatedAt: timestampOf(found.Updated),
		},
	}
	if found.Message != "" {
		response.Status.Message = found.Message
	}
	return response, nil
}

// timestampOf leaves out what is not known.
func timestampOf(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// hide keeps an error that was made for clients, without what was wrapped around it. One that was not may tell of paths and
// hosts: it goes to the log.
func (s *Server) hide(err error, text string) error {
	if told, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok && told.GRPCStatus().Code() != codes.OK {
		return told.GRPCStatus().Err()
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return asStatus(err, codes.Internal)
	}
	s.log.Error(text, "error", err)
	return refuse(codes.Internal, "%s", text)
}
