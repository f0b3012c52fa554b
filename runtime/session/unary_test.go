package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestSendUnaryAndHealthCheckNeedNoStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{
			send: func(r *imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
				return &imv1.SendMessageResponse{
					MessageId: r.GetMessageId(), Timestamp: timestamppb.Now(), Seq: 9, Epoch: 8, Duplicate: true,
				}, nil
			},
			health: func(r *imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
				return &imv1.HealthCheckResponse{Status: imv1.HealthStatus_HEALTH_STATUS_NOT_SERVING, Message: r.GetService()}, nil
			},
		}
		s := start(t, srv).session(t)
		out := &runtime.Outgoing{
			RoomID: "r", Kind: &imv1sdk.KindText.Kind, Type: imv1sdk.KindText.Number, Content: text("hi"),
		}
		receipt, err := s.SendUnary(t.Context(), out.With(runtime.WithMetadata(map[string]string{"k": "v"}), runtime.WithAckRequired()))
		if err != nil {
			t.Fatal(err)
		}
		want := runtime.Receipt{
			MessageID: out.ID, RoomID: "r", Appended: true, Seq: 9, Epoch: 8, Duplicate: true, Time: receipt.Time,
		}
		if *receipt != want || !receipt.Time.Equal(time.Now()) {
			t.Errorf("receipt %+v, want %+v", *receipt, want)
		}
		sent := requests[*imv1.SendMessageRequest](srv)[0]
		if sent.GetUserId() != "u" || sent.GetRoomId() != "r" || sent.GetType() != textType || string(sent.GetContent()) != "hi" ||
			sent.GetMetadata()["k"] != "v" || !sent.GetAckRequired() || sent.GetMessageId() == "" {
			t.Errorf("request: %v", sent)
		}
		health, err := s.HealthCheck(t.Context(), "svc")
		if err != nil || health.GetStatus() != imv1.HealthStatus_HEALTH_STATUS_NOT_SERVING || health.GetMessage() != "svc" {
			t.Errorf("health: %v, %v", health, err)
		}
		if s.State() != session.StateIdle || srv.streams() != 0 || s.Stats().Sent != 1 {
			t.Errorf("state %s, %d streams, %+v", s.State(), srv.streams(), s.Stats())
		}
	})
}

func TestASendUnaryOfTodayHasNoPlaceInALog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{send: func(*imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
			return &imv1.SendMessageResponse{MessageId: "theirs", Status: &imv1.ResponseStatus{Code: 200, Message: "ok"}}, nil
		}}
		s := start(t, srv).session(t)
		receipt, err := s.SendUnary(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: []byte("x")})
		if err != nil || receipt.Appended || receipt.MessageID != "theirs" {
			t.Errorf("%+v, %v", receipt, err)
		}
	})
}

func TestSendUnaryIsTriedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{send: func(*imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
			return nil, status.Error(codes.Unavailable, "crash")
		}}
		s := start(t, srv).session(t)
		_, err := s.SendUnary(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000})
		want := `send unary (room "r"): the message may have been delivered, or not: Unavailable: crash`
		if status.Code(err) != codes.Unavailable || err.Error() != want {
			t.Errorf("%v", err)
		}
		if got := len(srv.calls()); got != 1 {
			t.Errorf("%d calls", got)
		}
		for want, out := range map[string]*runtime.Outgoing{
			"the message is nil":                                nil,
			"room_id: is empty":                                 {Type: 1000},
			"type: 16 is a control frame":                       {RoomID: "r", Type: 16},
			"invalid content: text: value length must be":       {RoomID: "r", Kind: &imv1sdk.KindText.Kind, Type: 1, Content: text("")},
			"send unary System (room \"r\"): only the server s": {RoomID: "r", Kind: &imv1sdk.KindSystem.Kind, Type: 4, Content: new(imv1.SystemContent)},
		} {
			if _, err := s.SendUnary(t.Context(), out); err == nil || !strings.Contains(err.Error(), want) ||
				status.Code(err) != codes.InvalidArgument {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		if _, err := s.HealthCheck(t.Context(), strings.Repeat("x", 257)); status.Code(err) != codes.InvalidArgument ||
			!strings.Contains(err.Error(), "health check: invalid HealthCheckRequest: service: ") {
			t.Errorf("health: %v", err)
		}
		if got := len(srv.calls()); got != 1 {
			t.Errorf("%d calls: what is invalid was sent", got)
		}
	})
}

func TestTheStatusInsideAnAnswerBecomesAnError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status *imv1.ResponseStatus
		code   codes.Code
		want   string
	}{
		{nil, codes.OK, ""},
		{&imv1.ResponseStatus{Code: 0, Message: "fine"}, codes.OK, ""},
		{&imv1.ResponseStatus{Code: 200}, codes.OK, ""},
		{&imv1.ResponseStatus{Code: 299}, codes.OK, ""},
		{&imv1.ResponseStatus{Code: 5, Message: "no such room"}, codes.NotFound, "NotFound: no such room"},
		{&imv1.ResponseStatus{Code: 16}, codes.Unauthenticated, "Unauthenticated"},
		{&imv1.ResponseStatus{Code: 17, Message: "x"}, codes.Unknown, "the service's error 17: x"},
		{&imv1.ResponseStatus{Code: 404, Message: "room not found"}, codes.Unknown, "the service's error 404: room not found"},
		{&imv1.ResponseStatus{Code: 300}, codes.Unknown, "the service's error 300"},
		{&imv1.ResponseStatus{Code: -1}, codes.Unknown, "the service's error -1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := &script{
				info: func(*imv1.GetRoomInfoRequest) (*imv1.GetRoomInfoResponse, error) {
					return &imv1.GetRoomInfoResponse{Status: test.status, RoomInfo: &imv1.RoomInfo{Name: "R"}}, nil
				},
				script: func(r *imv1.TranscriptRequest) (*imv1.TranscriptResponse, error) {
					return &imv1.TranscriptResponse{Status: test.status, Transcription: &imv1.Transcription{Text: r.GetAudioId()}}, nil
				},
			}
			s := start(t, srv).connected(t)
			info, err := s.GetRoomInfo(t.Context(), "r")
			transcript, err2 := s.GetAudioTranscript(t.Context(), "a")
			if test.want == "" {
				if err != nil || info.GetRoomInfo().GetName() != "R" || err2 != nil || transcript.GetText() != "a" {
					t.Errorf("%v: %v, %v, %v, %v", test.status, info, err, transcript, err2)
				}
				return
			}
			if status.Code(err) != test.code || err.Error() != `get room info (room "r"): `+test.want {
				t.Errorf("%v: %v", test.status, err)
			}
			if status.Code(err2) != test.code || err2.Error() != "get audio transcript: "+test.want {
				t.Errorf("%v: %v", test.status, err2)
			}
		})
	}
}

func TestACallEndsWithTheRequestTimeoutItsContextOrTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		srv := &script{info: func(*imv1.GetRoomInfoRequest) (*imv1.GetRoomInfoResponse, error) {
			<-release
			return nil, nil
		}}
		n := start(t, srv)
		t.Cleanup(func() { close(release) })
		s := n.connected(t)
		began := time.Now()
		_, err := s.GetRoomInfo(t.Context(), "r")
		if took := time.Since(began); took != 30*time.Second || status.Code(err) != codes.DeadlineExceeded ||
			err.Error() != `get room info (room "r"): no answer within the request timeout of 30s: context deadline exceeded` {
			t.Errorf("after %s: %v", took, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the user has gone"))
		if _, err := s.GetRoomInfo(ctx, "r"); err == nil || !strings.Contains(err.Error(), "the user has gone") {
			t.Errorf("cancelled: %v", err)
		}
		failed := make(chan error)
		go func() {
			_, err := s.GetRoomInfo(t.Context(), "r")
			failed <- err
		}()
		synctest.Wait()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) || status.Code(err) != codes.Canceled {
			t.Errorf("closed: %v", err)
		}
	})
}

func TestAnErrorOfSendUnaryTellsWhetherTheMessageMayHaveArrived(t *testing.T) {
	t.Parallel()
	open := []codes.Code{
		codes.Canceled, codes.Unknown, codes.DeadlineExceeded, codes.Aborted, codes.Internal, codes.Unavailable, codes.DataLoss,
	}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{send: func(*imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
					return nil, status.Error(code, "so it is")
				}}
				s := start(t, srv).session(t)
				_, err := s.SendUnary(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000, Raw: []byte("x")})
				if status.Code(err) != code || errors.Is(err, session.ErrMaybeDelivered) != slices.Contains(open, code) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
