package server_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestAHeartbeatIsAnsweredAtOnceWithItsID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		for _, p := range []*peer{s.today("anna", ""), s.knowing("ben", "", 1, 1)} {
			begin := time.Now()
			p.send(&imv1.MessageRequest{MessageId: "h1", Type: heartbeat, Content: []byte("ping")})
			if got := p.want(heartbeat); got.GetMessageId() != "h1" || !time.Now().Equal(begin) {
				t.Errorf("got %v after %v", got, time.Since(begin))
			}
		}
	})
}

func TestASilentClientIsDropped(t *testing.T) {
	t.Parallel()
	hello := func(interval, wait time.Duration) *imsdkv1.Hello {
		return &imsdkv1.Hello{
			Version: 1, SessionId: 1, HeartbeatInterval: durationpb.New(interval), HeartbeatTimeout: durationpb.New(wait),
		}
	}
	for name, test := range map[string]struct {
		hello   *imsdkv1.Hello
		options []server.Option
		after   time.Duration
	}{
		"of today":                       {after: 300 * time.Second},
		"of today, by option":            {options: []server.Option{server.WithSilenceTimeout(time.Minute)}, after: time.Minute},
		"that says nothing of heartbeat": {hello: &imsdkv1.Hello{Version: 1, SessionId: 1}, after: 15 * time.Second},
		"that wants less":                {hello: hello(3*time.Second, time.Second), after: 4 * time.Second},
		"that wants more":                {hello: hello(time.Hour, time.Hour), after: 15 * time.Second},
		"that wants nonsense":            {hello: hello(-1, 0), after: 15 * time.Second},
		"by option": {
			hello: hello(time.Hour, time.Hour), options: []server.Option{server.WithHeartbeat(time.Minute, time.Second)},
			after: 61 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, test.options...)
				var p *peer
				if test.hello != nil {
					p, _ = s.greet("anna", "r", test.hello)
				} else {
					p = s.today("anna", "r")
				}
				time.Sleep(test.after - time.Millisecond)
				p.silent() // a sign of life in the last moment
				begin := time.Now()
				wantStatus(t, p.ended(), codes.Unavailable, "nothing was heard", test.after.String())
				if silence := time.Since(begin); silence != test.after {
					t.Errorf("dropped after %v, want %v", silence, test.after)
				}
				if s.server.Stats().Silent != 1 {
					t.Errorf("stats: %+v", s.server.Stats())
				}
			})
		})
	}
}

func TestAClientOfTodayThatSendsOneHeartbeatIn120SecondsStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := start(t).today("anna", "r")
		for range 30 {
			time.Sleep(120 * time.Second)
			p.silent()
		}
	})
}

func TestAHeartbeatOutOfBoundsIsNotAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := start(t).today("anna", "r")
		p.send(&imv1.MessageRequest{MessageId: strings.Repeat("x", 129), Type: heartbeat})
		p.send(&imv1.MessageRequest{MessageId: "m", UserId: "ben", Type: heartbeat})
		p.silent()
	})
}

func TestAStreamThatHasEndedIsNotFoundSilentLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.today("anna", "r").hangUp()
		time.Sleep(time.Hour)
		if stats := s.server.Stats(); stats.Silent != 0 || stats.Streams != 0 {
			t.Errorf("stats: %+v", stats)
		}
	})
}
