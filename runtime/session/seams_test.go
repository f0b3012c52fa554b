package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAGoAwayOfAStreamThatNeverBecameLiveHoldsNoSendsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = func(p *peer, w *imsdkv1.Welcome) {
			if p.number == 2 {
				w.Rooms = nil // so that a JOIN has to come
			}
		}
		k.on = func(p *peer, m *imv1.MessageRequest) (bool, error) {
			if p.number == 2 && m.GetType() == joinType {
				return true, p.push(goAway(0)) // instead of an answer
			}
			return false, nil
		}
		n := start(t, &k.script)
		s := n.connected(t)
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		away(t, n, s)
		back(t, n, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.SendRaw(ctx, "r", 1000, []byte("x")); err != nil {
			t.Errorf("on stream %d: %v", k.streams(), err)
		}
	})
}

// The server keeps to the window of each stream. What waits from before the gap is no part of it.
func TestAGapWhileALaneIsFullOfWhatCameBeforeBreaksNoStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const window = 1024
		fill := func(epoch, from uint64) (all []*imv1.MessageResponse) {
			for size, seq := 0, from; ; seq++ {
				m := inLog(epoch, logged("r", seq-1, seq))
				if size += proto.Size(m); size > window {
					return all
				}
				all = append(all, m)
			}
		}
		k := newKeeper()
		k.heads = func(p *peer, _ string) (epoch, head uint64) {
			if p.number > 1 {
				return 8, 500
			}
			return 7, 10
		}
		k.greeted = func(p *peer) {
			if p.number == 1 {
				return
			}
			messages := append([]*imv1.MessageResponse{gapFrame(&imsdkv1.Gap{
				RoomId: "r", Epoch: 7, AfterSeq: 10, NextEpoch: 8, NextSeq: 1, Reason: imsdkv1.GapReason_GAP_REASON_OTHER_LOG,
			})}, fill(8, 1)...)
			for _, m := range messages {
				if err := p.push(m); err != nil {
					t.Error(err)
				}
			}
		}
		n := start(t, &k.script)
		d := new(diary)
		block := make(chan struct{})
		s, _ := chat(t, n, texts(d, func(*imv1sdk.TextMessage) error {
			<-block
			return nil
		}), session.WithRoom("r"), session.WithWindow(window), gaps(d))
		k.peer(t, 1).pushAll(t, fill(7, 11)...)
		k.again(t, 1)
		time.Sleep(10 * time.Minute)
		if s.State() != session.StateConnected || k.streams() != 2 {
			t.Errorf("the session is %s on stream %d", s.State(), k.streams())
		}
		close(block)
	})
}
