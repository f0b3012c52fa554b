package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

func TestAUnaryJoinWithoutAStreamSaysWhyItCannotBe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stub := start(t).stub()
		_, err := stub.JoinRoom(t.Context(), &imv1.JoinRoomRequest{UserId: "anna", RoomId: "r"})
		wantStatus(t, err, codes.FailedPrecondition, `user "anna" has no stream on this server`, "balancer", "join and leave on the stream")
		_, err = stub.LeaveRoom(t.Context(), &imv1.LeaveRoomRequest{UserId: "anna", RoomId: "r"})
		wantStatus(t, err, codes.FailedPrecondition, `user "anna" has no stream on this server`, "balancer")
	})
}

func TestAUnaryJoinAndLeaveAreForAllSessionsOfTheUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben, phone, desk := s.today("ben", "r"), s.today("anna", ""), s.knowing("anna", "", 1, 1)
		request := &imv1.JoinRoomRequest{UserId: "anna", RoomId: "r", Metadata: map[string]string{"nickname": "An"}}
		response, err := s.stub().JoinRoom(t.Context(), request)
		if err != nil || response.GetStatus().GetCode() != 0 || response.GetRoomInfo().GetUserCount() != 2 ||
			!slices.Equal(response.GetOnlineUsers(), []string{"anna", "ben"}) {
			t.Fatalf("got %v, %v", response, err)
		}
		ben.want(joinRoom)
		ben.say("r", "m", "welcome")
		phone.wantText("welcome")
		desk.wantText("welcome")
		if _, err := s.stub().LeaveRoom(t.Context(), &imv1.LeaveRoomRequest{UserId: "anna", RoomId: "r"}); err != nil {
			t.Fatal(err)
		}
		if told := ben.want(leaveRoom); !strings.Contains(string(told.GetContent()), `"reason":"left"`) {
			t.Errorf("told %s", told.GetContent())
		}
		ben.say("r", "m2", "gone")
		phone.silent()
		desk.silent()
	})
}

func TestAUnaryJoinSucceedsWhileOneOfTheUsersStreamsEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ending []int
		joins  bool
	}{
		"one of three": {[]int{1}, true},
		"two of three": {[]int{0, 2}, true},
		"all of them":  {[]int{0, 1, 2}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var streams []*peer
				asked := 0
				s := start(t, server.WithJoinHook(func(context.Context, *server.Join) error {
					if asked++; asked == 1 {
						for _, i := range test.ending {
							streams[i].hangUp()
						}
					}
					return nil
				}))
				for range 3 {
					streams = append(streams, s.today("anna", ""))
				}
				response, err := s.stub().JoinRoom(t.Context(), &imv1.JoinRoomRequest{UserId: "anna", RoomId: "r"})
				if asked != 1 {
					t.Errorf("the hook was asked %d times", asked)
				}
				if !test.joins {
					wantStatus(t, err, codes.Unavailable, "the stream has ended")
				} else if err != nil || !slices.Equal(response.GetOnlineUsers(), []string{"anna"}) {
					t.Errorf("got %v, %v", response, err)
				}
			})
		})
	}
}

func TestAUnaryJoinThatIsRefusedFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, policy(&imv1.RoomConfig{MaxUsers: 1}))
		s.today("ben", "r")
		s.today("anna", "")
		_, err := s.stub().JoinRoom(t.Context(), &imv1.JoinRoomRequest{UserId: "anna", RoomId: "r"})
		wantStatus(t, err, codes.ResourceExhausted, "full")
	})
}

func TestAUnarySendNeedsNoStreamAndIsIdempotent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben := s.today("ben", "r")
		request := &imv1.SendMessageRequest{
			UserId: "bot", RoomId: "r", Type: text, Content: []byte("beep"), MessageId: "m", Metadata: map[string]string{"k": "v"},
			AckRequired: true,
		}
		first, err := s.stub().SendMessage(t.Context(), request)
		if err != nil || first.GetMessageId() != "m" || first.GetSeq() == 0 || first.GetEpoch() == 0 || first.GetDuplicate() ||
			first.GetStatus().GetCode() != 0 {
			t.Fatalf("got %v, %v", first, err)
		}
		got := ben.wantText("beep")
		if got.GetFromUserId() != "bot" || got.GetSeq() != first.GetSeq() || got.GetMetadata()["k"] != "v" || !got.GetAckRequired() ||
			!got.GetTimestamp().AsTime().Equal(first.GetTimestamp().AsTime()) {
			t.Errorf("got %v", got)
		}
		again, err := s.stub().SendMessage(t.Context(), request)
		if err != nil || !again.GetDuplicate() || again.GetSeq() != first.GetSeq() {
			t.Errorf("got %v, %v", again, err)
		}
		request.Content = []byte("boop")
		_, err = s.stub().SendMessage(t.Context(), request)
		wantStatus(t, err, codes.AlreadyExists, `"m"`)
		ben.silent()
		request.MessageId = ""
		made, err := s.stub().SendMessage(t.Context(), request)
		if err != nil || made.GetMessageId() == "" {
			t.Errorf("got %v, %v", made, err)
		}
	})
}

func TestAUnarySendIsAskedAboutAsOneOnAStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{}, policy(&imv1.RoomConfig{}))
		s.today("ben", "r")
		for name, test := range map[string]struct {
			request *imv1.SendMessageRequest
			code    codes.Code
			words   string
		}{
			"unknown room":  {&imv1.SendMessageRequest{RoomId: "q", Type: text, Content: []byte("x")}, codes.NotFound, `"q"`},
			"empty text":    {&imv1.SendMessageRequest{RoomId: "r", Type: text}, codes.InvalidArgument, "text: "},
			"no audio here": {&imv1.SendMessageRequest{RoomId: "r", Type: audio}, codes.PermissionDenied, "audio"},
			"a heartbeat":   {&imv1.SendMessageRequest{RoomId: "r", Type: heartbeat}, codes.InvalidArgument, "control"},
			"SYSTEM":        {&imv1.SendMessageRequest{RoomId: "r", Type: system}, codes.PermissionDenied, "only the server"},
		} {
			test.request.UserId = "bot"
			_, err := s.stub().SendMessage(t.Context(), test.request)
			if err == nil {
				t.Errorf("%s was sent", name)
				continue
			}
			wantStatus(t, err, test.code, test.words)
		}
	})
}

func TestUnaryRequestsAreValidatedInProtoNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stub := start(t).stub()
		long := strings.Repeat("x", 129)
		wide := make(map[string]string)
		for len(wide) < 65 {
			wide[strings.Repeat("k", len(wide)+1)] = ""
		}
		_, err := stub.SendMessage(t.Context(), &imv1.SendMessageRequest{UserId: long, MessageId: long, Metadata: wide})
		wantStatus(t, err, codes.InvalidArgument, "SendMessageRequest", "user_id: ", "room_id: ", "message_id: ", "metadata: ")
		_, err = stub.JoinRoom(t.Context(), &imv1.JoinRoomRequest{UserId: long})
		wantStatus(t, err, codes.InvalidArgument, "JoinRoomRequest", "user_id: ", "room_id: ")
		_, err = stub.LeaveRoom(t.Context(), &imv1.LeaveRoomRequest{UserId: long})
		wantStatus(t, err, codes.InvalidArgument, "LeaveRoomRequest", "user_id: ", "room_id: ")
		_, err = stub.GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{UserId: long})
		wantStatus(t, err, codes.InvalidArgument, "GetRoomInfoRequest", "user_id: ", "room_id: ")
		_, err = stub.GetAudioTranscript(t.Context(), &imv1.TranscriptRequest{UserId: long})
		wantStatus(t, err, codes.InvalidArgument, "TranscriptRequest", "user_id: ", "audio_id: ")
		_, err = stub.HealthCheck(t.Context(), &imv1.HealthCheckRequest{Service: strings.Repeat("x", 257)})
		wantStatus(t, err, codes.InvalidArgument, "HealthCheckRequest", "service: ")
	})
}

func TestAUnaryCallIsFromTheUserOfItsMetadata(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben := s.today("ben", "r")
		request := &imv1.SendMessageRequest{RoomId: "r", Type: text, Content: []byte("x")}
		_, err := s.stub().SendMessage(t.Context(), request)
		wantStatus(t, err, codes.InvalidArgument, "which user", "user_id", "user-id")
		anna := metadata.AppendToOutgoingContext(t.Context(), "user-id", "anna")
		if _, err := s.stub().SendMessage(anna, request); err != nil {
			t.Fatal(err)
		}
		if got := ben.wantText("x"); got.GetFromUserId() != "anna" {
			t.Errorf("got %v", got)
		}
		mismatch := map[string]error{}
		stub := s.stub()
		_, mismatch["SendMessage"] = stub.SendMessage(anna, &imv1.SendMessageRequest{UserId: "eve", RoomId: "r", Type: text})
		_, mismatch["JoinRoom"] = stub.JoinRoom(anna, &imv1.JoinRoomRequest{UserId: "eve", RoomId: "r"})
		_, mismatch["LeaveRoom"] = stub.LeaveRoom(anna, &imv1.LeaveRoomRequest{UserId: "eve", RoomId: "r"})
		_, mismatch["GetRoomInfo"] = stub.GetRoomInfo(anna, &imv1.GetRoomInfoRequest{UserId: "eve", RoomId: "r"})
		_, mismatch["GetAudioTranscript"] = stub.GetAudioTranscript(anna, &imv1.TranscriptRequest{UserId: "eve", AudioId: "a"})
		for call, err := range mismatch {
			t.Log(call)
			wantStatus(t, err, codes.PermissionDenied, `"eve"`, `"anna"`)
		}
	})
}

func TestHealthCheckTellsWhetherTheServerServes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		check := func(service string, want imv1.HealthStatus) {
			t.Helper()
			got, err := s.stub().HealthCheck(t.Context(), &imv1.HealthCheckRequest{Service: service})
			if err != nil || got.GetStatus() != want || got.GetMessage() == "" {
				t.Errorf("%q: got %v, %v, want %v", service, got, err, want)
			}
		}
		check("", imv1.HealthStatus_HEALTH_STATUS_SERVING)
		check("im.v1.IMService", imv1.HealthStatus_HEALTH_STATUS_SERVING)
		check("im.v1.Other", imv1.HealthStatus_HEALTH_STATUS_SERVICE_UNKNOWN)
		s.server.Close()
		check("", imv1.HealthStatus_HEALTH_STATUS_NOT_SERVING)
	})
}
