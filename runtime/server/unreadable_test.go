package server_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/protobuf/proto"
)

func TestAMessageOfTheLogThatDoesNotParseIsAGapForItsReadersAndNoEnd(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string][]byte{"torn": {0xff}, "empty": {}, "a control frame": {0x20, 25}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &lateLog{Memory: roomlog.NewMemory(roomlog.Retention{})}
				errors := new(bytes.Buffer)
				logger := slog.New(slog.NewTextHandler(errors, nil))
				s := start(t, server.WithLog(log), server.WithLogger(logger), server.WithWindow(1024))
				live, _ := s.resuming("reader", "r", 1, 1)
				today, knowing := s.today("reader", "r"), s.knowing("reader", "r", 2, 1)
				begin := live.want(joinRoom)
				one := log.said(t, "one")
				bad, err := log.Append(t.Context(), "r", roomlog.Message{Key: "bad", Payload: payload})
				if err != nil {
					t.Fatal(err)
				}
				want := &imsdkv1.Gap{
					RoomId: "r", Epoch: bad.Epoch, AfterSeq: one.Seq, NextEpoch: bad.Epoch, NextSeq: bad.Seq + 1,
				}
				other := start(t, server.WithLog(log), server.WithLogger(logger)) // has nothing at hand: it reads the log
				again, _ := s.resuming("again", "", 3, 1, cursor("r", begin.GetEpoch(), begin.GetSeq()))
				late, _ := other.resuming("late", "", 4, 1, cursor("r", begin.GetEpoch(), begin.GetSeq()))
				for _, p := range []*peer{live, again, late} {
					p.wantTexts(begin.GetSeq(), "one")
					if told := p.wantGap(); !proto.Equal(told, want) {
						t.Errorf("%s was told %v, want %v", p.user, told, want)
					}
					if next := p.want(joinRoom); next.GetPrevSeq() != bad.Seq { // again's
						t.Errorf("%s goes on with %v", p.user, next)
					}
				}
				late, _ = other.resuming("late", "", 4, 2, cursor("r", one.Epoch, one.Seq)) // reads it again
				late.wantGap()
				for _, p := range []*peer{today, knowing} { // which cannot be told of a gap
					p.wantText("one")
					p.want(joinRoom)
				}
				if _, err = log.Append(t.Context(), "r", roomlog.Message{Key: "last", Payload: payload}); err != nil {
					t.Fatal(err)
				}
				end, _ := start(t, server.WithLog(log), server.WithLogger(slog.New(slog.DiscardHandler))).
					resuming("end", "", 5, 1, cursor("r", bad.Epoch, bad.Seq+2)) // at late's notice: only the gap is to be read
				end.wantGap()
				end.want(joinRoom)
				end.silent()
				synctest.Wait()
				if count := strings.Count(errors.String(), "level=ERROR"); count != 4 {
					t.Errorf("two servers have logged %d errors of two messages: %s", count, errors)
				}
				if gaps := s.server.Stats().Gaps; gaps != 4 {
					t.Errorf("%d gaps", gaps)
				}
			})
		})
	}
}
