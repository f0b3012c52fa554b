package server_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

// sluggishLog takes a time for each append.
type sluggishLog struct {
	roomlog.Engine

	takes atomic.Int64
}

func (l *sluggishLog) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	time.Sleep(time.Duration(l.takes.Load()))
	if err := ctx.Err(); err != nil {
		return roomlog.Place{}, err
	}
	return l.Engine.Append(ctx, room, m)
}

// told is what a log says of who has joined and left.
func told(t *testing.T, log roomlog.Engine) (notices []*imv1.MessageResponse) {
	t.Helper()
	page, err := log.Read(t.Context(), "r", roomlog.Cursor{}, roomlog.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range page.Records {
		message := decode(t, record.Payload, &imv1.MessageResponse{})
		if kind := message.GetType(); kind == joinRoom || kind == leaveRoom {
			notices = append(notices, message)
		}
	}
	return notices
}

func TestAJoinWaitsForItsOwnNoticeAndForNoneBehindIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &sluggishLog{Engine: roomlog.NewMemory(roomlog.Retention{})}
		log.takes.Store(int64(time.Second))
		s := start(t, server.WithLog(log))
		begin := time.Now()
		var peers []*peer
		for i := range 5 {
			peers = append(peers, s.open(roomPairs("user-"+strconv.Itoa(i), "r")...))
			time.Sleep(100 * time.Millisecond)
		}
		for i, p := range peers {
			p.header()
			if took, want := time.Since(begin), time.Duration(i+1)*time.Second; took != want {
				t.Errorf("join %d took until %s, want %s", i, took, want)
			}
			p.say("r", "m", "x")
		}
		time.Sleep(10 * time.Second)
		page, err := log.Read(t.Context(), "r", roomlog.Cursor{}, roomlog.Limit{})
		if err != nil || len(page.Records) != 10 {
			t.Fatalf("the log has %d messages: %v", len(page.Records), err)
		}
		known := make(map[string]bool)
		for _, record := range page.Records {
			message := decode(t, record.Payload, &imv1.MessageResponse{})
			if user := message.GetFromUserId(); message.GetType() == joinRoom {
				known[user] = true
			} else if !known[user] {
				t.Errorf("%s said something before the others were told of it", user)
			}
		}
	})
}

func TestWhereTheLogDoesNotKeepUpNobodyElseIsLetInAndNoNoticeIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &slowLog{Engine: roomlog.NewMemory(roomlog.Retention{}), wait: make(chan struct{})}
		s := start(t, server.WithLog(log))
		anna := s.knowing("anna", "", 1, 1)
		for range 513 { // one notice is being said, 1,025 wait
			anna.join("r", nil)
			anna.leave("r") // and makes an end of the room
		}
		_, response := anna.join("r", nil)
		if got := response.GetStatus(); codes.Code(got.GetCode()) != codes.Unavailable {
			t.Fatalf("got %v", got)
		}
		wantWords(t, response.GetStatus().GetMessage(), "1024 notices", `room "r"`, "try again")
		log.open()
		synctest.Wait()
		if _, response = anna.join("r", nil); response.GetStatus().GetCode() != 0 {
			t.Errorf("got %v", response.GetStatus())
		}
		synctest.Wait()
		notices := told(t, log)
		if len(notices) != 2*513+1 {
			t.Fatalf("the log has %d notices", len(notices))
		}
		for i, notice := range notices {
			if want := []imv1.MessageType{joinRoom, leaveRoom}[i%2]; notice.GetType() != want {
				t.Fatalf("notice %d is a %s", i, notice.GetType())
			}
		}
	})
}

func TestALeaveWaitsForNothingAndCloseWaitsForItsNotice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &sluggishLog{Engine: roomlog.NewMemory(roomlog.Retention{})}
		s := start(t, server.WithLog(log))
		anna := s.knowing("anna", "r", 1, 1)
		s.knowing("ben", "r", 2, 1)
		log.takes.Store(int64(time.Second))
		begin := time.Now()
		anna.want(joinRoom)
		if anna.leave("r"); time.Since(begin) != 0 {
			t.Errorf("the leave took %s", time.Since(begin))
		}
		s.server.Close()
		if notices := told(t, log); len(notices) != 4 {
			t.Errorf("the log has %d notices", len(notices))
		}
	})
}

func TestALogThatHangsHoldsUpCloseOnceForManyNoticesOfARoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &deadLog{Engine: roomlog.NewMemory(roomlog.Retention{})}
		s := start(t, server.WithLog(log))
		for i := range 20 {
			s.today("user-"+strconv.Itoa(i), "r")
		}
		log.dead.Store(true)
		begin := time.Now()
		s.server.Close()
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}
