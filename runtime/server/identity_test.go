package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestTheFirstMessageMayNameUserAndRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		p := s.open()
		p.header()
		time.Sleep(9 * time.Second)
		p.send(&imv1.MessageRequest{
			MessageId: "h", UserId: "anna", RoomId: "r", Type: heartbeat, Content: []byte("ping"),
			Metadata: map[string]string{"nickname": "Änni"},
		})
		if got := p.want(heartbeat); got.GetMessageId() != "h" {
			t.Errorf("got %v", got)
		}
		if users := s.users("r"); len(users) != 1 || users[0].GetUserId() != "anna" || users[0].GetNickname() != "Änni" {
			t.Errorf("users: %v", users)
		}
	})
}

func TestTheFirstMessageIsDeliveredToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben := s.today("ben", "r")
		p := s.open()
		p.send(&imv1.MessageRequest{MessageId: "m", UserId: "anna", RoomId: "r", Type: text, Content: []byte("hi")})
		ben.want(joinRoom)
		ben.wantText("hi")
	})
}

func TestAStreamThatNamesNoUserIsTold(t *testing.T) {
	t.Parallel()
	t.Run("when it sends nothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			wantStatus(t, start(t).open().ended(), codes.InvalidArgument, "no user for 5m0s", "user-id", "user_id and room_id")
			if waited := time.Since(begin); waited != 300*time.Second {
				t.Errorf("waited %v", waited)
			}
		})
	})
	t.Run("when its first message has none", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := start(t).open()
			p.say("r", "m", "who am I?")
			wantStatus(t, p.ended(), codes.InvalidArgument, "names no user", "user-id", "user_id and room_id")
		})
	})
	t.Run("when its first message is out of bounds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := start(t).open()
			p.send(&imv1.MessageRequest{UserId: strings.Repeat("x", 129), RoomId: "r", Type: heartbeat})
			wantStatus(t, p.ended(), codes.InvalidArgument, "user_id", "128")
		})
	})
}

func TestAStreamThatClosesBeforeItNamesAUserEndsWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := start(t).open()
		if err := p.rpc.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := p.ended(); err.Error() != "EOF" {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestAnotherUsersMessageIsRefusedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		p := s.knowing("anna", "r", 1, 1)
		p.send(&imv1.MessageRequest{MessageId: "m1", UserId: "ben", RoomId: "r", Type: text, Content: []byte("x")})
		wantRefused(t, p.wantReceipt(), codes.PermissionDenied, `"ben"`, `"anna"`)
		p.send(&imv1.MessageRequest{MessageId: "m2", UserId: "anna", RoomId: "r", Type: text, Content: []byte("x")})
		wantTaken(t, p.wantReceipt())
	})
}

// byToken is an operator's authenticator: the metadata "token" is the user in capitals.
func byToken(ctx context.Context) (string, error) {
	token := metadata.ValueFromIncomingContext(ctx, "token")
	switch {
	case len(token) == 0:
		return "", errors.New("no token")
	case token[0] == "BLOCKED":
		return "", status.Error(codes.PermissionDenied, "you are blocked")
	case token[0] == "PANIC":
		return "", crash(nil)
	default:
		return strings.ToLower(token[0]), nil
	}
}

func TestTheAuthenticatorDecidesWhoAStreamIs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		metadata []string
		code     codes.Code
		words    string
	}{
		"no token":      {[]string{"user-id", "anna"}, codes.Unauthenticated, "no token"},
		"blocked":       {[]string{"token", "BLOCKED"}, codes.PermissionDenied, "you are blocked"},
		"another user":  {[]string{"token", "ANNA", "user-id", "ben"}, codes.PermissionDenied, `user "anna"`},
		"no user in it": {[]string{"token", ""}, codes.Unauthenticated, "does not say which user"},
		"a panic":       {[]string{"token", "PANIC"}, codes.Internal, "authenticator failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := start(t, server.WithAuthenticator(byToken)).open(test.metadata...)
				wantStatus(t, p.ended(), test.code, test.words)
			})
		})
	}
	t.Run("a good one", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := start(t, server.WithAuthenticator(byToken))
			p := s.open("token", "ANNA", "room-id", "r")
			p.silent()
			ctx := metadata.AppendToOutgoingContext(t.Context(), "token", "BEN")
			_, err := s.stub().SendMessage(ctx, &imv1.SendMessageRequest{UserId: "anna", RoomId: "r", Type: text})
			wantStatus(t, err, codes.PermissionDenied, `user_id is "anna"`, `user "ben"`)
			if _, err := s.stub().SendMessage(ctx, &imv1.SendMessageRequest{RoomId: "r", Type: text}); err != nil {
				t.Error(err)
			}
			if got := p.want(text); got.GetFromUserId() != "ben" {
				t.Errorf("from %q", got.GetFromUserId())
			}
		})
	})
}

func TestAnIDInMetadataThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		long := strings.Repeat("x", 129)
		wantStatus(t, s.open("user-id", long).ended(), codes.InvalidArgument, "user-id has 129 bytes", "128")
		wantStatus(t, s.open("user-id", "anna", "room-id", long).ended(), codes.InvalidArgument, "129 bytes", "128")
	})
}
