package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type transcriber func(audio server.Audio) (server.Transcript, error)

func (f transcriber) Transcript(_ context.Context, audio server.Audio) (server.Transcript, error) {
	return f(audio)
}

func TestWithoutATranscriberATranscriptHasFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		uploaded, err := s.upload(&imv1.AudioMetadata{UserId: "anna"}, "x")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.stub().GetAudioTranscript(t.Context(), &imv1.TranscriptRequest{AudioId: uploaded.GetAudioId()})
		if err != nil {
			t.Fatal(err)
		}
		if got.GetTranscription().GetStatus() != imv1.TranscriptStatus_TRANSCRIPT_STATUS_FAILED ||
			got.GetTranscription().GetAudioId() != uploaded.GetAudioId() ||
			codes.Code(got.GetStatus().GetCode()) != codes.Unimplemented {
			t.Errorf("got %v", got)
		}
		wantWords(t, got.GetStatus().GetMessage(), "no transcriber")
	})
}

func TestATranscriptOfAnUnknownAudioIsNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := start(t).stub().GetAudioTranscript(t.Context(), &imv1.TranscriptRequest{AudioId: "nothing"})
		wantStatus(t, err, codes.NotFound, `no audio "nothing"`)
	})
}

func TestTheTranscriberTellsWhatIsSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().Add(-time.Minute)
		s := start(t, server.WithTranscriber(transcriber(func(audio server.Audio) (server.Transcript, error) {
			switch audio.Format {
			case "code":
				return server.Transcript{}, status.Error(codes.Unavailable, "busy")
			case "plain":
				return server.Transcript{}, errors.New("secret host is down")
			case "panic":
				return server.Transcript{}, crash(nil)
			}
			return server.Transcript{
				Status: imv1.TranscriptStatus_TRANSCRIPT_STATUS_COMPLETED, Text: "hello", Confidence: 0.5, Created: began,
				Message: "in " + audio.Format,
			}, nil
		})))
		transcript := func(format string) (*imv1.TranscriptResponse, error) {
			uploaded, err := s.upload(&imv1.AudioMetadata{UserId: "anna", Format: format}, "x")
			if err != nil {
				t.Fatal(err)
			}
			return s.stub().GetAudioTranscript(t.Context(), &imv1.TranscriptRequest{AudioId: uploaded.GetAudioId()})
		}
		got, err := transcript("wav")
		found := got.GetTranscription()
		if err != nil || got.GetStatus().GetCode() != 0 || got.GetStatus().GetMessage() != "in wav" || found.GetText() != "hello" ||
			found.GetConfidence() != 0.5 || found.GetStatus() != imv1.TranscriptStatus_TRANSCRIPT_STATUS_COMPLETED ||
			!found.GetCreatedAt().AsTime().Equal(began) || found.GetUpdatedAt() != nil {
			t.Errorf("got %v, %v", got, err)
		}
		_, err = transcript("code")
		wantStatus(t, err, codes.Unavailable, "busy")
		_, err = transcript("plain")
		wantStatus(t, err, codes.Internal, "could not be transcribed")
		_, err = transcript("panic")
		wantStatus(t, err, codes.Internal, "transcriber failed")
	})
}
