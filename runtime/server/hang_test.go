package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

// hangingIn hangs in one method until the context that it is given is done.
type hangingIn struct {
	*roomlog.Memory

	in string
}

func (l *hangingIn) hang(ctx context.Context, method string) {
	if l.in == method {
		<-ctx.Done()
	}
}

func (l *hangingIn) Find(ctx context.Context, room, key string, hash roomlog.Hash) (roomlog.Place, bool, error) {
	l.hang(ctx, "Find")
	return l.Memory.Find(ctx, room, key, hash)
}

func (l *hangingIn) Head(ctx context.Context, room string) (roomlog.Cursor, error) {
	l.hang(ctx, "Head")
	return l.Memory.Head(ctx, room)
}

func (l *hangingIn) Subscribe(ctx context.Context, room string, to func(roomlog.Record)) (func(), error) {
	l.hang(ctx, "Subscribe")
	return l.Memory.Subscribe(ctx, room, to)
}

func TestALogThatHangsIsUnavailableWithin5Seconds(t *testing.T) {
	t.Parallel()
	const within = 5 * time.Second
	for _, method := range []string{"Head", "Subscribe"} {
		t.Run("a join: "+method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, server.WithLog(&hangingIn{Memory: roomlog.NewMemory(roomlog.Retention{}), in: method}))
				begin := time.Now()
				wantStatus(t, s.open(roomPairs("ben", "r")...).ended(), codes.Unavailable, "cannot be reached")
				if took := time.Since(begin); took != within {
					t.Errorf("took %s", took)
				}
				_, response := s.knowing("anna", "", 1, 1).join("r", nil)
				if code := codes.Code(response.GetStatus().GetCode()); code != codes.Unavailable || time.Since(begin) != 2*within {
					t.Errorf("got %v after %s", response.GetStatus(), time.Since(begin))
				}
			})
		})
	}
	t.Run("a send: Find", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := start(t, server.WithLog(&hangingIn{Memory: roomlog.NewMemory(roomlog.Retention{}), in: "Find"}))
			anna := s.knowing("anna", "r", 1, 1)
			begin := time.Now()
			_, err := s.stub().SendMessage(t.Context(), &imv1.SendMessageRequest{UserId: "ben", RoomId: "r", Type: text, Content: []byte("x")})
			wantStatus(t, err, codes.Unavailable, "cannot be reached")
			anna.say("r", "m", "x")
			wantStatus(t, anna.ended(), codes.Unavailable, "connect again")
			if took := time.Since(begin); took != 2*within {
				t.Errorf("took %s", took)
			}
		})
	})
}
