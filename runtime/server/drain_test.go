package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

// drain drains in the background and gives what Drain returned.
func (s *site) drain(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.server.Drain(ctx, s.grpc) }()
	return done
}

func TestDrainTellsThoseWhoKnowItToGoAndWaitsForThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s *site
		told := false
		s = start(t, server.WithDrainSpread(20*time.Second), server.WithOnDrain(func(ctx context.Context) error {
			health, err := s.server.HealthCheck(ctx, &imv1.HealthCheckRequest{})
			if err != nil || health.GetStatus() != imv1.HealthStatus_HEALTH_STATUS_NOT_SERVING {
				t.Errorf("deregistered while the health is %v, %v", health, err)
			}
			told = true
			return nil
		}))
		reader, _ := s.resuming("reader", "r", 1, 1)
		reader.want(joinRoom)
		done := s.drain(t.Context())
		goAway := decode(t, reader.want(imv1.MessageType_MESSAGE_TYPE_GO_AWAY).GetContent(), &imsdkv1.GoAway{})
		if goAway.GetSpread().AsDuration() != 20*time.Second || goAway.GetReason() == "" {
			t.Errorf("told %v", goAway)
		}
		if !told {
			t.Error("it was not deregistered first")
		}
		reader.say("r", "m", "before I go") // it may still send
		wantTaken(t, reader.wantReceiptAfterOthers())
		begin := time.Now()
		if err := reader.rpc.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := reader.ended(); err.Error() != "EOF" {
			t.Errorf("ended with %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestDrainEndsClientsOfTodayWithUnavailableWithinTheSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithDrainSpread(20*time.Second))
		const clients = 50
		ended := make(chan time.Duration, clients)
		begin := time.Now()
		for range clients {
			p := s.today("anna", "")
			go func() {
				if _, err := p.rpc.Recv(); err != nil {
					wantStatus(t, err, codes.Unavailable)
				}
				ended <- time.Since(begin)
			}()
		}
		done := s.drain(t.Context())
		early, late := 0, 0
		for range clients {
			switch at := <-ended; {
			case at > 20*time.Second:
				t.Errorf("one was ended after %s", at)
			case at < 10*time.Second:
				early++
			default:
				late++
			}
		}
		if early < 5 || late < 5 { // of 50, each with even odds: less than one in a billion
			t.Errorf("%d ended in the first half of the spread, %d in the second", early, late)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestDrainEndsWhoDoesNotGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithDrainSpread(3*time.Second))
		reader, _ := s.resuming("reader", "r", 1, 1)
		begin := time.Now()
		done := s.drain(t.Context())
		wantStatus(t, reader.ended(), codes.Unavailable, "connect again")
		if took := time.Since(begin); took != 7*time.Second {
			t.Errorf("ended after %s, want the spread and 4 s", took)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestDrainIsCutShortByItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithDrainSpread(time.Hour))
		reader, _ := s.resuming("reader", "r", 1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		done := s.drain(ctx)
		wantStatus(t, reader.ended(), codes.Unavailable)
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain says %v", err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestDrainRefusesNewStreamsAndGivesTheErrorOfDeregistering(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("consul is away")
		open := make(chan struct{})
		s := start(t, server.WithDrainSpread(0), server.WithOnDrain(func(context.Context) error {
			<-open
			return failed
		}))
		done := s.drain(t.Context())
		synctest.Wait()
		wantStatus(t, s.open("user-id", "late").ended(), codes.Unavailable, "stopping")
		close(open)
		if err := <-done; !errors.Is(err, failed) {
			t.Errorf("Drain says %v", err)
		}
	})
}
