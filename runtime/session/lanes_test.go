package session_test

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestMessagesAreHandledInOrderPerRoomAndRoomsSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.RoomID == "slow" {
				time.Sleep(time.Minute)
			}
			d.add("%s %s", m.RoomID, m.ID)
			return nil
		}})
		for i := range 3 {
			push <- textMessage(strconv.Itoa(i), "slow", "x")
			push <- textMessage(strconv.Itoa(i), "fast", "x")
		}
		expect(t, "at once", d.take, "fast 0", "fast 1", "fast 2")
		time.Sleep(3 * time.Minute)
		expect(t, "in the end", d.take, "slow 0", "slow 1", "slow 2")
	})
}

func TestNoMoreHandlersRunAtOnceThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		var now, most, done atomic.Int32
		chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			done.Add(1)
			return nil
		}}, session.WithLanes(10, 2))
		began := time.Now()
		for i := range 12 {
			push <- textMessage(strconv.Itoa(i), strconv.Itoa(i%4), "x")
		}
		time.Sleep(6*time.Second - time.Since(began) + time.Millisecond)
		if most.Load() != 2 || done.Load() != 12 {
			t.Errorf("%d handlers at once, %d of 12 done in 6 s", most.Load(), done.Load())
		}
	})
}

func TestAFullLaneMakesTheReaderWaitAndSuspendsTheWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		release := make(chan struct{})
		d := new(diary)
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.RoomID == "slow" {
				<-release
			}
			d.add("%s", m.ID)
			return nil
		}}, session.WithLanes(2, 8))
		for _, id := range []string{"running", "first", "second", "waits"} {
			push <- textMessage(id, "slow", "x")
		}
		push <- textMessage("other", "other room", "x")
		time.Sleep(5 * time.Minute)
		expect(t, "while the lane is full", d.take)
		if s.State() != session.StateConnected || srv.streams() != 1 {
			t.Errorf("the session is %s on stream %d", s.State(), srv.streams())
		}
		close(release)
		time.Sleep(time.Second)
		synctest.Wait()
		got := d.take()
		inOrder := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return id == "other" })
		if !slices.Equal(inOrder, []string{"running", "first", "second", "waits"}) || len(got) != 5 {
			t.Errorf("handled %q", got)
		}
		time.Sleep(5 * time.Minute)
		if srv.streams() != 1 {
			t.Error("the watch did not go on")
		}
	})
}

func TestASendFindsTheNextStreamWhileTheReaderWaitsForALane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if p.number > 1 {
				return p.serve(welcome(), nil)
			}
			if err := p.greet(welcome()); err != nil {
				return err
			}
			for range 4 {
				_ = p.push(textMessage("", "slow", "x"))
			}
			return status.Error(codes.Unavailable, "the server stops")
		}}
		release := make(chan struct{})
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			<-release
			return nil
		}}, session.WithLanes(1, 1))
		synctest.Wait()
		sent := make(chan error)
		go func() {
			_, err := client.SendText(t.Context(), "r", text("x"))
			sent <- err
		}()
		time.Sleep(time.Minute)
		close(release)
		if err := <-sent; err != nil || srv.streams() != 2 {
			t.Errorf("%v on stream %d", err, srv.streams())
		}
	})
}

func TestCloseFreesAReaderThatWaitsForALane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		handled := 0
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(ctx context.Context, _ *imv1sdk.TextMessage) error {
			handled++
			<-ctx.Done()
			return nil
		}}, session.WithLanes(1, 1))
		for range 4 {
			push <- textMessage("", "r", "x")
		}
		synctest.Wait()
		began := time.Now()
		_ = s.Close()
		<-s.Done()
		if took := time.Since(began); took != 0 {
			t.Errorf("Close took %s", took)
		}
		if handled != 1 {
			t.Errorf("%d messages were handled after Close", handled-1)
		}
	})
}
