package session_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAGapThatCloseInterruptsIsToldAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		store := new(shelf)
		s, _ := chat(t, start(t, &k.script), imv1sdk.Handlers{}, session.WithRoom("r"), session.WithCursorStore(store),
			session.WithOnGap(func(ctx context.Context, _ session.Gap) { <-ctx.Done() }))
		time.Sleep(time.Second)
		store.take()
		k.peer(t, 1).pushAll(t, lost(10, 20))
		_ = s.Close()
		<-s.Done()
		equal(t, "the store", store.take())
	})
}

func TestTheStoreNeverHasACursorBeyondALogThatWasCut(t *testing.T) {
	t.Parallel()
	cut := gapFrame(&imsdkv1.Gap{
		RoomId: "r", Epoch: 7, AfterSeq: 14, NextEpoch: 7, NextSeq: 12, Reason: imsdkv1.GapReason_GAP_REASON_LOG_CUT,
	})
	for _, how := range []string{"by a gap", "by its head"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeper()
				store := new(shelf)
				release := make(chan struct{})
				chat(t, start(t, &k.script), texts(new(diary), func(m *imv1sdk.TextMessage) error {
					if m.Seq == 13 {
						<-release
					}
					return nil
				}), session.WithRoom("r"), session.WithCursorStore(store),
					session.WithOnGap(func(ctx context.Context, _ session.Gap) { <-ctx.Done() }))
				k.peer(t, 1).pushAll(t, row("r", 11, 14)...)
				time.Sleep(time.Second)
				equal(t, "what is handled", kept(store), "r 7/12")
				if how == "by its head" {
					k.heads = func(*peer, string) (uint64, uint64) { return 7, 11 }
				}
				p := k.again(t, 1)
				if how == "by a gap" {
					p.pushAll(t, cut)
				}
				time.Sleep(time.Second)
				equal(t, "once the log is cut", kept(store), "r 7/11")
				close(release) // what was received before the cut is handled
				time.Sleep(time.Second)
				equal(t, "until the gap is told", kept(store), "r 7/11")
			})
		})
	}
}

// kept is what a shelf has.
func kept(s *shelf) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rooms []string
	for _, cursor := range s.kept {
		rooms = append(rooms, fmt.Sprintf("%s %d/%d", cursor.RoomID, cursor.Epoch, cursor.Seq))
	}
	return rooms
}
