package session_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestASlowHandlerDelaysNoOtherRoomAndNoHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		var mute atomic.Bool
		k.on = func(_ *peer, m *imv1.MessageRequest) (bool, error) {
			return mute.Load() && m.GetType() == heartbeatType, nil
		}
		release := make(chan struct{})
		handled := make(chan struct{}, 1000)
		s, _ := chat(t, start(t, &k.script), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.RoomID == "slow" {
				<-release
				handled <- struct{}{}
			} else {
				d.add("%s", m.ID)
			}
			return nil
		}}, session.WithLanes(2, 8))
		p := k.peer(t, 1)
		for _, room := range []string{"slow", "fast"} {
			if _, err := s.JoinRoom(t.Context(), room); err != nil {
				t.Fatal(err)
			}
		}
		p.pushAll(t, row("slow", 11, 510)...) // far more than the lane has place for
		p.pushAll(t, logged("fast", 10, 11), logged("fast", 11, 12))
		equal(t, "another room", d.take(), "m11", "m12")
		if _, err := s.SendRaw(t.Context(), "fast", 1000, nil); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Minute)
		if beats := len(p.all(heartbeatType)); beats < 30 || k.streams() != 1 {
			t.Errorf("%d heartbeats on %d streams", beats, k.streams())
		}
		mute.Store(true) // a server that dies meanwhile is seen to be dead
		began := time.Now()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		if silent := time.Since(began); silent > 25*time.Second {
			t.Errorf("it took %s", silent)
		}
		mute.Store(false)
		p = k.following(t, 1)
		p.pushAll(t, row("slow", 11, 511)...)
		close(release)
		synctest.Wait()
		if len(handled) != 501 {
			t.Errorf("%d of 501 handled", len(handled))
		}
	})
}

// large is a message of about 400 bytes.
func large(prev, seq uint64) *imv1.MessageResponse {
	m := logged("r", prev, seq)
	m.Metadata = map[string]string{"padding": strings.Repeat("x", 350)}
	return m
}

func TestAServerThatSendsBeyondTheWindowEndsTheStream(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		asked int
		says  uint64
	}{
		"the one that was asked for": {asked: 1024, says: 1024},
		"a smaller one":              {asked: 1 << 20, says: 1024},
		"not told":                   {asked: 1024, says: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeper()
				k.welcomed = func(_ *peer, w *imsdkv1.Welcome) { w.WindowBytes = test.says }
				d := new(diary)
				var why error
				release := make(chan struct{})
				chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }),
					session.WithRoom("r"), session.WithWindow(test.asked),
					session.WithOnDisconnect(func(err error) { why = err }))
				p := k.peer(t, 1)
				p.pushAll(t, large(10, 11), large(11, 12), large(12, 13)) // that is the window, and one message
				if k.streams() != 1 {
					t.Fatalf("within the window: %v", why)
				}
				for seq := uint64(14); seq < 20; seq++ {
					_ = p.push(large(seq-1, seq))
				}
				p = k.following(t, 1)
				if status.Code(why) != codes.ResourceExhausted || !strings.Contains(why.Error(), "more than the window lets it") {
					t.Errorf("OnDisconnect: %v", why)
				}
				// What waits since before counts on.
				for seq := uint64(11); seq < 20; seq++ {
					_ = p.push(large(seq-1, seq))
				}
				p = k.following(t, 2)
				close(release)
				for seq := uint64(11); seq < 20; seq++ {
					p.pushAll(t, large(seq-1, seq))
				}
				equal(t, "handled", d.take(), "11", "12", "13", "14", "15", "16", "17", "18", "19")
				if k.streams() != 3 {
					t.Errorf("%d streams", k.streams())
				}
			})
		})
	}
}

func TestASingleMessageMayBeLargerThanTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"), session.WithWindow(1024))
		for seq := uint64(11); seq < 14; seq++ {
			m := logged("r", seq-1, seq)
			m.Metadata = map[string]string{"padding": strings.Repeat("x", 5000)}
			k.peer(t, 1).pushAll(t, m)
		}
		equal(t, "handled", d.take(), "11", "12", "13")
		equal(t, "told at once", told(t, k.peer(t, 1)), "r 7/11", "r 7/12", "r 7/13")
	})
}

func TestWithoutFlowControlAFullLaneLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = without(imsdkv1.Capability_CAPABILITY_FLOW_CONTROL)
		d := new(diary)
		release := make(chan struct{})
		s, _ := chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }),
			session.WithRoom("r"), session.WithLanes(2, 8))
		if s.Capabilities().FlowControl {
			t.Error("flow control")
		}
		p := k.peer(t, 1)
		for _, m := range row("r", 11, 20) {
			_ = p.push(m)
		}
		time.Sleep(5 * time.Minute)
		if k.streams() != 1 {
			t.Fatal("the reader waits, and is taken for dead")
		}
		p.stop <- status.Error(codes.Unavailable, "again")
		n := 1
		for k.streams() == n { // the reader finds the end when it reads on, or not
			time.Sleep(time.Second)
			select {
			case release <- struct{}{}:
			default:
			}
		}
		for _, m := range row("r", 11, 20) {
			go func() { _ = k.peer(t, 2).push(m) }()
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		equal(t, "handled", d.take(), "11", "12", "13", "14", "15", "16", "17", "18", "19", "20")
	})
}

func TestWithoutFlowControlALaneThatOverflowsLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = without(imsdkv1.Capability_CAPABILITY_FLOW_CONTROL)
		k.on = func(p *peer, m *imv1.MessageRequest) (bool, error) {
			return p.number == 1 && m.GetType() == textType, nil // no receipt
		}
		d := new(diary)
		release := make(chan struct{})
		s, im := chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }),
			session.WithRoom("r"), session.WithLanes(1, 8))
		// Somebody waits, so that the lane takes 16 messages, and then overflows: the last one is not received.
		go func() { _, _ = im.SendText(t.Context(), "r", text("x")) }()
		synctest.Wait()
		for _, m := range row("r", 11, 30) {
			_ = k.peer(t, 1).push(m)
		}
		p := k.following(t, 1)
		for _, m := range row("r", 11, 30) {
			go func() { _ = p.push(m) }()
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		var want []string
		for seq := 11; seq <= 30; seq++ {
			want = append(want, strconv.Itoa(seq))
		}
		equal(t, "handled", d.take(), want...)
		if s.Stats().Gaps != 0 {
			t.Errorf("%+v", s.Stats())
		}
	})
}

func TestTooMuchThatNoWindowBoundsEndsTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		var why error
		release := make(chan struct{})
		defer close(release)
		chat(t, start(t, &k.script), imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			<-release
			return nil
		}}, session.WithLanes(2, 8), session.WithOnDisconnect(func(err error) {
			if !errors.Is(err, session.ErrClosed) {
				why = err
			}
		}))
		for i := range 40 {
			_ = k.peer(t, 1).push(textMessage(strconv.Itoa(i), "r", "x"))
		}
		synctest.Wait()
		if status.Code(why) != codes.ResourceExhausted || !strings.Contains(why.Error(), "the room's handlers are too slow") {
			t.Errorf("OnDisconnect: %v", why)
		}
	})
}

func TestAWindowHasALeastSize(t *testing.T) {
	t.Parallel()
	for _, opt := range []session.Option{session.WithWindow(1023), session.WithWindow(0), session.WithCursorStore(nil)} {
		if _, err := session.Dial("localhost:1", session.WithUser("u"), opt); err == nil {
			t.Error("it is taken")
		} else {
			t.Log(err)
		}
	}
}
