package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func goAway(spread time.Duration) *imv1.MessageResponse {
	return &imv1.MessageResponse{Type: imv1.MessageType_MESSAGE_TYPE_GO_AWAY, Content: encode(&imsdkv1.GoAway{
		Spread: durationpb.New(spread), Reason: "a new version",
	})}
}

// never is a policy whose tries wait for ever: what comes back has not waited.
func never() session.Option {
	return session.WithReconnect(session.Reconnect{Wait: func(int, error) time.Duration { return 1000 * time.Hour }})
}

func TestASessionLeavesAServerThatStopsInGoodOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		s, client := chat(t, start(t, &k.script), texts(d, nil), append(d.callbacks(), session.WithRoom("r"), never())...)
		synctest.Wait()
		d.take()
		p := k.peer(t, 1)
		p.pushAll(t, logged("r", 10, 11), goAway(10*time.Second), goAway(0))
		if _, err := client.SendText(t.Context(), "r", text("x")); err != nil || k.streams() != 1 {
			t.Errorf("a send meanwhile: %v on stream %d", err, k.streams())
		}
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "what is told", d.take(), "11", "reconnecting",
			"OnDisconnect: stream: the server asked the session to connect elsewhere: a new version", "connected", "OnConnect")
		if s.State() != session.StateConnected || k.streams() != 2 || s.Stats().Errors != 0 || s.Stats().Reconnects != 1 {
			t.Errorf("%s on stream %d, %+v", s.State(), k.streams(), s.Stats())
		}
		if err := p.Context().Err(); err == nil {
			t.Error("the first stream lives")
		}
		equal(t, "the second Hello", resumed(k.peer(t, 2)), "r 7/11")
		if _, err := client.SendText(t.Context(), "r", text("x")); err != nil || len(k.peer(t, 2).all(textType)) != 1 {
			t.Errorf("a send afterwards: %v", err)
		}
	})
}

func TestSessionsLeaveWithinTheSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		n := start(t, &k.script)
		for range 20 {
			n.connected(t)
		}
		synctest.Wait()
		for i := range 20 {
			k.peer(t, i+1).pushAll(t, goAway(10*time.Second))
		}
		var gone []int
		for range 5 {
			time.Sleep(2 * time.Second)
			synctest.Wait()
			gone = append(gone, k.streams()-20)
		}
		if gone[0] == 20 || gone[2] < 3 || gone[2] > 19 || gone[4] != 20 {
			t.Errorf("gone every 2 s: %v", gone)
		}
	})
}

func TestAServerThatDoesNotEndTheStreamIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		keep := k.stream
		k.stream = func(p *peer) error {
			err := keep(p)
			if p.number == 1 {
				<-p.Context().Done() // though the client has closed its half
			}
			return err
		}
		s := start(t, &k.script).connected(t, never())
		began := time.Now()
		k.peer(t, 1).pushAll(t, goAway(0))
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
		synctest.Wait()
		if s.State() != session.StateConnected {
			t.Errorf("it is %s", s.State())
		}
	})
}

func TestAServerThatSendsEveryStreamAwayIsNotHammered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.greeted = func(p *peer) {
			time.Sleep(time.Millisecond)
			_ = p.push(goAway(0))
		}
		start(t, &k.script).connected(t)
		time.Sleep(time.Minute)
		if n := k.streams(); n < 4 || n > 80 {
			t.Errorf("%d streams in a minute", n)
		}
	})
}

func TestAServerThatBreaksTheStreamBeforeIsAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		var why error
		s := start(t, &k.script).connected(t, never(), session.WithOnDisconnect(func(err error) {
			if !errors.Is(err, session.ErrClosed) {
				why = err
			}
		}))
		k.peer(t, 1).pushAll(t, goAway(time.Hour))
		k.peer(t, 1).stop <- status.Error(codes.Unavailable, "too late")
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.State() != session.StateReconnecting || status.Code(why) != codes.Unavailable || !strings.Contains(why.Error(), "too late") {
			t.Errorf("%s: %v", s.State(), why)
		}
	})
}

func TestATryThatFailsAfterAGoAwayIsFollowedByOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		keep := k.stream
		k.stream = func(p *peer) error {
			if p.number == 2 {
				return status.Error(codes.Unavailable, "not here")
			}
			return keep(p)
		}
		d := new(diary)
		var attempts []int
		s := start(t, &k.script).connected(t, session.WithOnError(func(err error) { d.add("%v", err) }),
			session.WithReconnect(session.Reconnect{Wait: func(attempt int, _ error) time.Duration {
				attempts = append(attempts, attempt)
				return time.Second
			}}))
		k.peer(t, 1).pushAll(t, goAway(0))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if lines := d.take(); len(lines) != 1 || !strings.Contains(lines[0], "not here") || len(attempts) != 1 || attempts[0] != 1 {
			t.Errorf("OnError: %q; waits before tries %v", lines, attempts)
		}
		if s.State() != session.StateConnected || k.streams() != 3 {
			t.Errorf("%s on stream %d", s.State(), k.streams())
		}
	})
}

func TestWithoutReconnectAGoAwayEndsTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		s := start(t, &k.script).connected(t, session.WithReconnect(session.Reconnect{Disabled: true}))
		k.peer(t, 1).pushAll(t, goAway(0))
		<-s.Done()
		if k.streams() != 1 || !strings.Contains(s.Err().Error(), "reconnecting is switched off") {
			t.Errorf("%d streams, %v", k.streams(), s.Err())
		}
	})
}

func TestCloseEndsTheWaitsOfAGoAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		s := start(t, &k.script).connected(t)
		k.peer(t, 1).pushAll(t, goAway(1000*time.Hour))
		began := time.Now()
		_ = s.Close()
		<-s.Done()
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAGoAwayThatDoesNotParseEndsTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		why := make(chan error, 2)
		start(t, &k.script).connected(t, session.WithOnDisconnect(func(err error) { why <- err }))
		k.peer(t, 1).pushAll(t, &imv1.MessageResponse{Type: imv1.MessageType_MESSAGE_TYPE_GO_AWAY, Content: garbage})
		if err := <-why; status.Code(err) != codes.Internal {
			t.Error(err)
		}
	})
}

func TestACallThatWaitsFindsTheNextStreamAfterAGoAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		silent := func(p *peer, m *imv1.MessageRequest) (bool, error) {
			return p.number == 1 && m.GetType() == joinType, nil
		}
		k.on = silent
		s := start(t, &k.script).connected(t, never())
		joined := make(chan error)
		go func() {
			_, err := s.JoinRoom(context.Background(), "r")
			joined <- err
		}()
		synctest.Wait()
		k.peer(t, 1).pushAll(t, goAway(0))
		if err := <-joined; err != nil || k.streams() != 2 {
			t.Errorf("%v on %d streams", err, k.streams())
		}
	})
}
