package server_test

import (
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

// What a session has received elsewhere may not have been published here yet. A head before it would say that the log was cut.
func TestAReaderThatHasReceivedMoreThanWasPublishedHereIsToldTheLogsOwnHead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		beyond, want uint64 // of the last message
	}{
		"it has received all":             {0, 0},
		"it has received what was cut":    {5, 0},
		"it has handled what was cut too": {5, 5}, // the GAP tells
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &lateLog{Memory: roomlog.NewMemory(roomlog.Retention{})}
				s := start(t, server.WithLog(log))
				s.today("keeps the room open", "r")
				first := log.said(t, "first")
				log.leave(true)
				log.said(t, "second")
				last := log.said(t, "third")
				log.leave(false)
				at := cursor("r", first.Epoch, first.Seq)
				at.ReceivedSeq = last.Seq + test.beyond
				if test.want > 0 {
					at.Seq = at.GetReceivedSeq()
				}
				reader, welcome := s.resuming("reader", "", 1, 1, at)
				if head := welcome.GetRooms()[0].GetHead(); head != last.Seq+test.want {
					t.Errorf("Welcome tells the head %d, the log's is %d", head, last.Seq)
				}
				if test.want == 0 {
					reader.wantTexts(first.Seq, "second", "third")
				} else if told := reader.wantGap(); told.GetReason() != imsdkv1.GapReason_GAP_REASON_LOG_CUT {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}

func TestAJoinAsksTheLogForItsHeadToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &hangingIn{Memory: roomlog.NewMemory(roomlog.Retention{})}
		s := start(t, server.WithLog(log))
		s.today("keeps the room open", "r")
		head, err := log.Memory.Head(t.Context(), "r")
		if err != nil {
			t.Fatal(err)
		}
		log.in = "Head"
		reader, _ := s.resuming("reader", "", 1, 1)
		answer := func(received uint64) int32 {
			at := &imsdkv1.Cursor{RoomId: "r", Epoch: head.Epoch, Seq: head.Seq, ReceivedSeq: received}
			reader.send(&imv1.MessageRequest{
				MessageId: "join", RoomId: "r", Type: join, Content: []byte(marshal(t, &imsdkv1.Join{Cursor: at})),
			})
			return decode(t, reader.want(joined).GetContent(), &imv1.JoinRoomResponse{}).GetStatus().GetCode()
		}
		if code := codes.Code(answer(head.Seq + 1)); code != codes.Unavailable {
			t.Errorf("a log that does not tell its head: %s", code)
		}
		if code := answer(head.Seq); code != 0 {
			t.Errorf("the log was asked for what is known: %d", code)
		}
	})
}
