package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// What one side does wrong must not end the streams of others.

const notUTF8 = "\xff\xfe"

// rawStream is a call whose metadata gRPC's own client would not send.
type rawStream struct {
	grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]
	ctx context.Context //nolint:containedctx // gRPC's streams have one
}

func (r *rawStream) Context() context.Context { return r.ctx }

func (r *rawStream) SendHeader(metadata.MD) error { return nil }

func (r *rawStream) Send(*imv1.MessageResponse) error { return nil }

func (r *rawStream) Recv() (*imv1.MessageRequest, error) {
	<-r.ctx.Done()
	return nil, r.ctx.Err()
}

func TestMetadataThatAreNotUTF8HarmNobodyElse(t *testing.T) {
	t.Parallel()
	for name, pairs := range map[string][]string{
		"user":     {"user-id", "mallory" + notUTF8, "room-id", "r"},
		"room":     {"user-id", "mallory", "room-id", "r" + notUTF8},
		"nickname": {"user-id", "mallory", "room-id", "r", "nickname", notUTF8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t)
				reader := s.today("reader", "r")
				ctx, cancel := context.WithCancel(metadata.NewIncomingContext(t.Context(), metadata.Pairs(pairs...)))
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- s.server.StreamMessages(&rawStream{ctx: ctx}) }()
				if name == "nickname" { // only decoration: it is mended
					if got := reader.want(joinRoom).GetMetadata()["nickname"]; got != "\uFFFD" {
						t.Errorf("nickname %q", got)
					}
				} else {
					wantStatus(t, <-ended, codes.InvalidArgument, "not UTF-8", "first message")
				}
				reader.silent()
			})
		})
	}
}

func TestAnAuthenticatorsUserThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithAuthenticator(func(context.Context) (string, error) { return notUTF8, nil }))
		wantStatus(t, s.open("room-id", "r").ended(), codes.InvalidArgument, "not UTF-8")
	})
}

func TestWhatTheOperatorWritesThatIsNotUTF8ReachesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			m.Metadata = map[string]string{"k": notUTF8}
			return nil
		}}, server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			if join.UserID == "odd" {
				join.Metadata["k"] = notUTF8
			}
			return nil
		}))
		reader, anna := s.today("reader", "r"), s.knowing("anna", "r", 1, 1)
		reader.want(joinRoom)
		anna.say("r", "m", "x")
		wantRefused(t, anna.wantReceipt(), codes.InvalidArgument, "not UTF-8")
		for name, out := range map[string]*runtime.Outgoing{
			"from": {RoomID: "r", Type: 1000, From: notUTF8}, "id": {RoomID: "r", Type: 1000, ID: notUTF8},
			"metadata": {RoomID: "r", Type: 1000, Metadata: map[string]string{notUTF8: ""}},
		} {
			if _, err := s.server.Publish(t.Context(), out); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantStatus(t, s.open("user-id", "odd", "room-id", "r").ended(), codes.Internal, "join hook")
		reader.silent()
	})
}

func TestAJoinWithTooMuchMetadataIsRefusedAndToldToNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		reader, anna := s.today("reader", "r"), s.knowing("anna", "", 1, 1)
		_, answer := anna.join("r", map[string]string{"nickname": strings.Repeat("x", 5<<20)}) // more than clients receive
		if code := codes.Code(answer.GetStatus().GetCode()); code != codes.InvalidArgument {
			t.Errorf("got %v", answer)
		}
		wantWords(t, answer.GetStatus().GetMessage(), "metadata of the join", "16384")
		reader.silent()
	})
}

func TestAnAckThatIsTooLargeDoesNotReachTheSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		reader, anna := s.today("reader", "r"), s.knowing("anna", "r", 1, 1)
		reader.want(joinRoom)
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("x"), AckRequired: true})
		anna.wantReceipt()
		reader.wantText("x")
		reader.send(&imv1.MessageRequest{
			RoomId: "r", Type: ack, Content: []byte(`{"original_message_id":"m","success":true}`),
			Metadata: map[string]string{"k": strings.Repeat("x", 5<<20)},
		})
		reader.silent()
		anna.silent()
	})
}

// With the largest bound that is allowed, what the server adds must still fit into what a gRPC client receives.
func TestTheLargestMessageStillFitsWithItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithMaxMessageBytes(4<<20), keeping(roomlog.Retention{Bytes: 100 << 20, TotalBytes: 100 << 20}))
		reader, anna := s.today("reader", "r"), s.knowing("anna", "r", 1, 1)
		reader.want(joinRoom)
		taken := 0
		for spare := range 16 {
			content := make([]byte, 4<<20-140+8*spare)
			anna.send(&imv1.MessageRequest{MessageId: "m" + strings.Repeat("x", spare), RoomId: "r", Type: 1000, Content: content})
			if receipt := anna.wantReceipt(); receipt.GetRefusal() == nil {
				taken++
				reader.want(1000)
			}
		}
		if taken == 0 || taken == 16 {
			t.Errorf("%d of 16 were taken: nothing is tested", taken)
		}
		reader.silent()
	})
}

func TestAServerThatStopsSaysSoToUnaryJoinsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.server.Close()
		_, err := s.stub().JoinRoom(t.Context(), &imv1.JoinRoomRequest{UserId: "anna", RoomId: "r"})
		wantStatus(t, err, codes.Unavailable, "stopping")
		_, err = s.stub().LeaveRoom(t.Context(), &imv1.LeaveRoomRequest{UserId: "anna", RoomId: "r"})
		wantStatus(t, err, codes.Unavailable, "stopping")
	})
}

func TestWhoMayNotJoinMayNotWriteByAUnarySendEither(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			if join.UserID == "mallory" {
				return status.Error(codes.PermissionDenied, "not you")
			}
			join.Muted = join.UserID == "quiet"
			return nil
		}))
		reader := s.today("reader", "r")
		for user, words := range map[string]string{"mallory": "not you", "quiet": "is muted"} {
			_, err := s.stub().SendMessage(t.Context(),
				&imv1.SendMessageRequest{UserId: user, RoomId: "r", Type: text, Content: []byte("x")})
			wantStatus(t, err, codes.PermissionDenied, words)
		}
		if _, err := s.stub().SendMessage(t.Context(),
			&imv1.SendMessageRequest{UserId: "bot", RoomId: "r", Type: text, Content: []byte("beep")}); err != nil {
			t.Error(err)
		}
		reader.wantText("beep")
	})
}

func TestAClientOfTodayGetsNoAckThatOnlyAHookAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			m.AckRequired = true
			return nil
		}})
		reader, anna := s.today("reader", "r"), s.today("anna", "r")
		reader.want(joinRoom)
		anna.say("r", "m", "x")
		reader.wantText("x")
		reader.send(&imv1.MessageRequest{RoomId: "r", Type: ack, Content: []byte(`{"original_message_id":"m","success":true}`)})
		reader.silent()
		anna.silent()
	})
}

func TestAThirdStreamOfASessionWaitsForTheFirstToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.ID == "old" {
				time.Sleep(time.Second)
			}
			return nil
		}})
		watcher, first := s.today("watcher", "r"), s.knowing("anna", "r", 1, 1)
		watcher.want(joinRoom)
		first.say("r", "old", "old")
		synctest.Wait()
		hello := marshal(t, &imsdkv1.Hello{Version: 1, SessionId: 1, StreamNumber: 2})
		s.open(append(roomPairs("anna", "r"), "imsdk-hello-bin", hello)...) // waits for the first, until the third ends it
		synctest.Wait()
		s.knowing("anna", "r", 1, 3).say("r", "new", "new")
		watcher.wantText("old")
		watcher.wantText("new")
	})
}
