package server_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

func TestAnEngineThatFailsEndsTheStreamAndDecidesNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]faultyLog{
		"append": {append: context.DeadlineExceeded}, "find": {find: context.DeadlineExceeded}, "read": {read: context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fault.Engine = roomlog.NewMemory(roomlog.Retention{})
				s := start(t, server.WithLog(&fault))
				anna, _ := s.resuming("anna", "r", 1, 1)
				if fault.read != nil {
					again, _ := s.resuming("anna", "r", 1, 2, cursor("r", 1, 1))
					wantStatus(t, again.ended(), codes.Unavailable, "cannot be reached", "connect again")
					return
				}
				anna.say("r", "m", "x")
				wantStatus(t, anna.ended(), codes.Unavailable, "cannot be reached", "connect again")
				if refused := s.server.Stats().Refused; refused != 0 {
					t.Errorf("%d were refused", refused)
				}
			})
		})
	}
}

// faultyLog is an engine that cannot be reached.
type faultyLog struct {
	roomlog.Engine

	append, find, read error
}

func (l *faultyLog) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	if l.append != nil {
		return roomlog.Place{}, l.append
	}
	return l.Engine.Append(ctx, room, m)
}

func (l *faultyLog) Find(ctx context.Context, room, key string, hash roomlog.Hash) (roomlog.Place, bool, error) {
	if l.find != nil {
		return roomlog.Place{}, false, l.find
	}
	return l.Engine.Find(ctx, room, key, hash)
}

func (l *faultyLog) Read(ctx context.Context, room string, at roomlog.Cursor, limit roomlog.Limit) (roomlog.Page, error) {
	if l.read != nil {
		return roomlog.Page{}, l.read
	}
	return l.Engine.Read(ctx, room, at, limit)
}

func TestAReceiptComesOnlyAfterTheLogHasTheMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &slowLog{Engine: roomlog.NewMemory(roomlog.Retention{}), wait: make(chan struct{})}
		s := start(t, server.WithLog(slow))
		anna := s.knowing("anna", "", 1, 1)
		slow.open()
		anna.join("r", nil)
		synctest.Wait() // until the log has the notice
		slow.shut()
		anna.say("r", "m", "x")
		time.Sleep(3 * time.Second) // no receipt so far, and the stream lives
		if got := s.server.Stats(); got.Received != 2 || got.Streams != 1 {
			t.Errorf("stats: %+v", got)
		}
		page, err := slow.Read(t.Context(), "r", roomlog.Cursor{}, roomlog.Limit{})
		if err != nil || len(page.Records) != 1 {
			t.Errorf("the log has %d messages: %v", len(page.Records), err)
		}
		slow.open()
		receipt := anna.wantReceipt()
		wantTaken(t, receipt)
		page, err = slow.Read(t.Context(), "r", roomlog.Cursor{}, roomlog.Limit{})
		if err != nil || page.Head.Seq != receipt.GetSeq() || page.Head.Epoch != receipt.GetEpoch() {
			t.Errorf("the receipt says %d, the log ends at %d: %v", receipt.GetSeq(), page.Head.Seq, err)
		}
	})
}

// slowLog appends when it is open, however late that is.
type slowLog struct {
	roomlog.Engine

	wait chan struct{}
}

func (l *slowLog) open() { close(l.wait) }
func (l *slowLog) shut() { l.wait = make(chan struct{}) }

func (l *slowLog) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	<-l.wait
	return l.Engine.Append(context.WithoutCancel(ctx), room, m)
}

// deadLog hangs in Append until the context that it is given is done.
type deadLog struct {
	roomlog.Engine

	dead atomic.Bool
}

func (l *deadLog) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	if l.dead.Load() {
		<-ctx.Done()
		return roomlog.Place{}, ctx.Err()
	}
	return l.Engine.Append(ctx, room, m)
}

func TestALogThatHangsHoldsUpTheEndOfAStreamOfManyRoomsOnlyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &deadLog{Engine: roomlog.NewMemory(roomlog.Retention{})}
		s := start(t, server.WithLog(log))
		var rooms []*imsdkv1.Cursor
		for i := range 50 {
			rooms = append(rooms, cursor("room-"+strconv.Itoa(i), 0, 0))
		}
		s.resuming("anna", "", 1, 1, rooms...)
		synctest.Wait()
		log.dead.Store(true)
		begin := time.Now()
		s.server.Close()
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}
