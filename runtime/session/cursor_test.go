package session_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestCursorsAreToldTogetherAndInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		s, _ := chat(t, start(t, &k.script), texts(new(diary), nil), session.WithRoom("a"))
		for _, room := range []string{"b", "c"} {
			if _, err := s.JoinRoom(t.Context(), room); err != nil {
				t.Fatal(err)
			}
		}
		p := k.peer(t, 1)
		time.Sleep(time.Minute)
		equal(t, "when nothing has moved", told(t, p))
		p.pushAll(t, logged("a", 10, 11))
		time.Sleep(100 * time.Millisecond)
		p.pushAll(t, logged("a", 11, 12), logged("b", 10, 11))
		time.Sleep(99 * time.Millisecond)
		equal(t, "before 200 ms are over", told(t, p))
		time.Sleep(time.Millisecond)
		equal(t, "after 200 ms", told(t, p), "a 7/12, b 7/11")
		time.Sleep(time.Minute)
		equal(t, "once", told(t, p), "a 7/12, b 7/11")
		frame := p.all(imv1.MessageType_MESSAGE_TYPE_CURSOR)[0]
		if frame.GetUserId() != "u" || frame.GetRoomId() != "" || frame.GetMessageId() != "" {
			t.Errorf("CURSOR: %v", frame)
		}
	})
}

func TestAQuarterOfTheWindowIsToldAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		chat(t, start(t, &k.script), texts(new(diary), nil), session.WithRoom("r"), session.WithWindow(6000))
		p := k.peer(t, 1)
		p.pushAll(t, large(10, 11), large(11, 12), large(12, 13))
		equal(t, "less than a quarter", told(t, p))
		p.pushAll(t, large(13, 14))
		equal(t, "a quarter", told(t, p), "r 7/14")
		p.pushAll(t, large(14, 15), large(15, 16), large(16, 17))
		equal(t, "it counts from there", told(t, p), "r 7/14")
		time.Sleep(time.Second)
		equal(t, "in time", told(t, p), "r 7/14", "r 7/17")
	})
}

func TestWhateverBecomesOfAMessageMovesTheCursor(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(p *peer, m *imv1.MessageResponse){
		"an error":               func(_ *peer, m *imv1.MessageResponse) { m.Content = []byte("fail") },
		"a panic":                func(_ *peer, m *imv1.MessageResponse) { m.Content = []byte("panic") },
		"the goroutine's end":    func(_ *peer, m *imv1.MessageResponse) { m.Content = []byte("exit") },
		"an own message":         func(p *peer, m *imv1.MessageResponse) { m.SessionId = p.hello.GetSessionId() },
		"an unknown kind":        func(_ *peer, m *imv1.MessageResponse) { m.Type = 1234 },
		"a kind without handler": func(_ *peer, m *imv1.MessageResponse) { m.Type = imv1.MessageType_MESSAGE_TYPE_AUDIO; m.Content = nil },
		"an invalid content":     func(_ *peer, m *imv1.MessageResponse) { m.Type = imv1.MessageType_MESSAGE_TYPE_RICH_TEXT },
		"an ACK":                 func(_ *peer, m *imv1.MessageResponse) { m.Type, m.Content = ackType, []byte(`{}`) },
		"a message without id":   func(_ *peer, m *imv1.MessageResponse) { m.MessageId = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeper()
				chat(t, start(t, &k.script), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
					switch m.Content.GetText() {
					case "fail":
						return errors.New("no")
					case "panic":
						panic("no") //nolint:forbidigo // what is tested
					case "exit":
						goruntime.Goexit()
					}
					return nil
				}}, session.WithRoom("r"))
				m := logged("r", 10, 11)
				p := k.peer(t, 1)
				change(p, m)
				p.pushAll(t, m)
				time.Sleep(time.Second)
				equal(t, "cursors", told(t, p), "r 7/11")
			})
		})
	}
}

func TestANewStreamIsToldOnlyWhatHasMovedSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		release := make(chan struct{})
		n := start(t, &k.script)
		s, _ := chat(t, n, texts(new(diary), func(m *imv1sdk.TextMessage) error {
			if m.ID == "m12" {
				<-release
			}
			return nil
		}), session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, logged("r", 10, 11), logged("r", 11, 12))
		p := k.again(t, 1)
		equal(t, "Hello", resumed(p), "r 7/11")
		time.Sleep(time.Minute)
		equal(t, "nothing has moved", told(t, p))
		close(release)
		time.Sleep(time.Second)
		equal(t, "one has", told(t, p), "r 7/12")

		k.welcomed = func(*peer, *imsdkv1.Welcome) { time.Sleep(700 * time.Millisecond) }
		k.greeted = nil
		p.pushAll(t, logged("r", 12, 13))
		p = k.again(t, 2)
		time.Sleep(2 * time.Second)
		if s.State() != session.StateConnected {
			t.Fatal(s.State())
		}
		equal(t, "Hello", resumed(p), "r 7/13")
		equal(t, "nothing has moved", told(t, p))
	})
}

func TestWhatMovesWhileAStreamStartsIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = func(p *peer, _ *imsdkv1.Welcome) {
			if p.number > 1 {
				time.Sleep(600 * time.Millisecond)
			}
		}
		release := make(chan struct{})
		chat(t, start(t, &k.script), texts(new(diary), func(*imv1sdk.TextMessage) error { <-release; return nil }), session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, logged("r", 10, 11))
		p := k.again(t, 1)
		close(release) // Hello is out, Welcome not yet there
		synctest.Wait()
		equal(t, "Hello", resumed(p), "r 7/10")
		equal(t, "before Welcome", told(t, p))
		time.Sleep(time.Second)
		equal(t, "after it", told(t, p), "r 7/11")
	})
}
