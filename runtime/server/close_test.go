package server_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

func TestCloseEndsAllStreamsAndTakesNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		peers := []*peer{s.today("anna", "r"), s.knowing("ben", "r", 1, 1), s.open()} // the last one has not said who it is
		peers[2].header()
		s.server.Close()
		if streams := s.server.Stats().Streams; streams != 0 {
			t.Errorf("%d streams after Close", streams)
		}
		for _, p := range peers {
			wantStatus(t, p.ended(), codes.Unavailable, "stopping", "connect again")
		}
		wantStatus(t, s.open("user-id", "late").ended(), codes.Unavailable, "stopping")
		_, err := s.stub().SendMessage(t.Context(), &imv1.SendMessageRequest{UserId: "u", RoomId: "r", Type: text})
		wantStatus(t, err, codes.Unavailable, "stopping")
		_, err = s.upload(&imv1.AudioMetadata{UserId: "u"}, "x")
		wantStatus(t, err, codes.Unavailable, "stopping")
		s.server.Close() // again
	})
}

func TestCloseWaitsForHooksAndCancelsTheirContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cleaned := false
		s, _ := hooked(t, imv1server.Hooks{OnText: func(ctx context.Context, _ *imv1sdk.TextMessage) error {
			<-ctx.Done()
			time.Sleep(time.Second) // it takes a while to clean up
			cleaned = true
			return ctx.Err()
		}})
		s.today("anna", "r").say("r", "m", "x")
		synctest.Wait()
		s.server.Close()
		if !cleaned {
			t.Error("Close did not wait")
		}
	})
}

func TestCloseEndsAStalledReaderToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.today("stalled", "r")
		writer := s.today("writer", "r")
		for i := range 40 {
			writer.say("r", strconv.Itoa(i), strings.Repeat("x", 16<<10))
		}
		writer.silent()
		s.server.Close()
	})
}

func TestWhatIsQueuedStillGoesOutWhenTheClientHasClosedItsSide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		anna := start(t).knowing("anna", "r", 1, 1)
		for i := range 100 {
			anna.say("r", strconv.Itoa(i), "x")
		}
		if err := anna.rpc.CloseSend(); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			wantTaken(t, anna.wantReceipt())
		}
		if err := anna.ended(); err.Error() != "EOF" {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestAnOptionThatMakesNoSenseIsAnError(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]server.Option{
		"WithQueue":               server.WithQueue(0, 1),
		"WithLog":                 server.WithLog(nil),
		"WithWindow":              server.WithWindow(1023),
		"WithDrainSpread":         server.WithDrainSpread(time.Hour + 1),
		"WithMaxMessageBytes":     server.WithMaxMessageBytes(-1),
		"WithMaxAudioBytes":       server.WithMaxAudioBytes(0),
		"WithMaxRooms":            server.WithMaxRooms(0),
		"WithHeartbeat":           server.WithHeartbeat(time.Second, 0),
		"WithSilenceTimeout":      server.WithSilenceTimeout(0),
		"WithFirstMessageTimeout": server.WithFirstMessageTimeout(-1),
		"WithAudioStore":          server.WithAudioStore(nil),
		"WithLogger":              server.WithLogger(nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := server.New(option)
			if err == nil {
				t.Fatal("it was taken")
			}
			wantWords(t, err.Error(), name)
		})
	}
	_, err := server.New(server.WithMaxMessageBytes(5<<20), server.WithMaxRooms(0))
	if err == nil {
		t.Fatal("they were taken")
	}
	wantWords(t, err.Error(), "WithMaxMessageBytes", "4194304", "WithMaxRooms")
}

func TestAClientThatHasClosedItsSideIsOutOfItsRoomsBeforeItHasReadTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		watcher, stalled := s.today("watcher", "r"), s.today("stalled", "r")
		watcher.want(joinRoom)
		for range 4 {
			_, err := s.server.Publish(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1, Raw: make([]byte, 100<<10)})
			if err != nil {
				t.Fatal(err)
			}
			watcher.want(text)
		}
		if err := stalled.rpc.CloseSend(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		watcher.want(leaveRoom)
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		for range 4 {
			stalled.want(text)
		}
	})
}
