package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// changing is a server that knows the handshake on its first stream, and does something else on the next ones.
func changing(next func(p *peer) error) *script {
	return &script{stream: func(p *peer) error {
		if p.number == 1 {
			return p.serve(welcome(), nil)
		}
		return next(p)
	}}
}

func mute(p *peer) error {
	return p.serve(nil, func(*imv1.MessageRequest) (bool, error) { return true, nil })
}

func TestAHeaderThatWasThereBeforeIsWaitedForOnASlowNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := changing(func(p *peer) error {
			time.Sleep(9 * time.Second) // almost the connect timeout
			return p.serve(welcome(), nil)
		})
		n := start(t, srv)
		s := n.connected(t)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		away(t, n, s)
		back(t, n, s)
		if !s.Capabilities().Receipts || len(requests[*imv1.JoinRoomRequest](srv)) != 0 || srv.streams() != 2 {
			t.Errorf("capabilities %+v, unary calls %v, streams %d", s.Capabilities(), srv.calls(), srv.streams())
		}
	})
}

func TestAServerWithoutTheHeaderThatWasThereBeforeIsOneOfTodayOnceItAnswersOtherCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := changing(mute)
		srv.health = func(*imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
			return new(imv1.HealthCheckResponse), nil
		}
		n := start(t, srv)
		s := n.connected(t)
		away(t, n, s)
		back(t, n, s)
		if s.Capabilities().Handshake || srv.streams() < 4 { // two tries at least waited for a header
			t.Errorf("capabilities %+v, streams %d", s.Capabilities(), srv.streams())
		}
	})
}

func TestAServerThatAnswersNothingIsNotTakenForOneOfTodayWhereTheHandshakeWasKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := changing(mute)
		n := start(t, srv)
		s := n.connected(t)
		away(t, n, s)
		n.up()
		time.Sleep(10 * time.Minute)
		if s.State() != session.StateReconnecting {
			t.Errorf("the session is %s", s.State())
		}
	})
}
