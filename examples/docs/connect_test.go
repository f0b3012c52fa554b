package docs_test

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/balancer"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func dialByName() (*session.Session, error) {
	s, err := session.Dial("dns:///im.example.com:8083",
		session.WithUser("user001"),
		session.WithRoom("room001"), // optional: a room to be in from the start
	)
	return s, err
}

func dialAList() (*session.Session, error) {
	s, err := session.Dial("static:///10.0.1.100:8083,10.0.1.101:8083",
		session.WithUser("user001"),
		session.WithBalancer(balancer.RoundRobin),
	)
	return s, err
}

func TestDialsOfThePagesAreTaken(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func() (*session.Session, error){
		"by name": dialByName, "a list": dialAList, "patient": dialPatiently, "with a wait of its own": dialWithOwnWait,
		"seen": dialWatched, "as before": dialAsBefore, "in production": dialForProduction, "without a room": dialNewClient,
	} {
		s, err := dial()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func useOwnClient(conn *grpc.ClientConn) (*session.Session, error) {
	s, err := session.New(imv1.NewIMServiceClient(conn),
		session.WithUser("user001"),
		session.WithRoom("room001"),
		session.WithConn(conn), // optional: the session may then cut conn's own backoff short
	)
	return s, err
}

func TestASessionOnAClientThatTheApplicationHas(t *testing.T) {
	t.Parallel()
	s, err := useOwnClient(imtest.NewServer(t).Conn())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rooms := s.Rooms(); len(rooms) != 1 || rooms[0] != "room001" {
		t.Errorf("the session is in %v", rooms)
	}
}

func dialPatiently() (*session.Session, error) {
	s, err := session.Dial("dns:///im.example.com:8083",
		session.WithUser("user001"),
		session.WithReconnect(session.Reconnect{
			Attempts: 10,                     // tries in a row; 0, the default, is without end
			Base:     500 * time.Millisecond, // the first try waits up to this, each next one up to twice as long
			Max:      time.Minute,            // but none longer than this
		}),
	)
	return s, err
}

func dialWithOwnWait() (*session.Session, error) {
	s, err := session.Dial("dns:///im.example.com:8083",
		session.WithUser("user001"),
		session.WithReconnect(session.Reconnect{
			Wait: func(attempt int, cause error) time.Duration {
				log.Printf("try %d to reconnect, because of: %v", attempt, cause)
				return min(time.Duration(attempt)*time.Second, 10*time.Second)
			},
		}),
	)
	return s, err
}

func dialWatched() (*session.Session, error) {
	s, err := session.Dial("dns:///im.example.com:8083",
		session.WithUser("user001"),
		session.WithOnState(func(state session.State) { log.Println("now", state) }),
		session.WithOnConnect(func() { log.Println("connected; the rooms are joined") }),
		session.WithOnDisconnect(func(err error) { log.Println("lost the server:", err) }),
		session.WithOnError(func(err error) { log.Println("something failed:", err) }),
		session.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	)
	return s, err
}

func waitForState(ctx context.Context, s *session.Session) error {
	if s.State() != session.StateConnected {
		if err := s.WaitState(ctx, session.StateConnected); err != nil {
			return err
		}
	}
	return nil
}

func TestStatesCanBeAwaited(t *testing.T) {
	t.Parallel()
	s := imtest.NewServer(t).Session("user001")
	if err := waitForState(t.Context(), s); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := waitForState(t.Context(), s); !errors.Is(err, session.ErrClosed) {
		t.Errorf("a closed session will never be connected, got %v", err)
	}
}
