package server_test

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

func TestServersThatShareALogAreOneRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := roomlog.NewMemory(roomlog.Retention{})
		here, there := start(t, server.WithLog(log)), start(t, server.WithLog(log))
		writer := there.knowing("writer", "r", 9, 1)
		reader, _ := here.resuming("reader", "r", 1, 1)
		last := reader.want(joinRoom)
		for i := range 10 {
			writer.say("r", strconv.Itoa(i), strconv.Itoa(i))
			last = reader.wantTexts(last.GetSeq(), strconv.Itoa(i))
		}
		reader.hangUp()
		writer.say("r", "meanwhile", "meanwhile")
		writer.silentAfterOthers()
		moved, _ := there.resuming("reader", "r", 1, 2, cursor("r", last.GetEpoch(), last.GetSeq()))
		left := moved.want(leaveRoom)
		if left.GetPrevSeq() != last.GetSeq() {
			t.Errorf("goes on with %v", left)
		}
		moved.wantTexts(left.GetSeq(), "meanwhile")
	})
}

func TestASendThatIsRepeatedAtAnotherServerIsAppendedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := roomlog.NewMemory(roomlog.Retention{})
		here, there := start(t, server.WithLog(log)), start(t, server.WithLog(log))
		first := here.knowing("anna", "r", 1, 1)
		first.number("r", "one", 1, 0, 0)
		one := first.wantReceipt()
		second := there.knowing("anna", "r", 1, 2) // the first stream still lives, at a server that has not noticed
		second.number("r", "one", 1, 0, one.GetEpoch())
		if got := second.wantReceipt(); !got.GetDuplicate() || got.GetSeq() != one.GetSeq() {
			t.Errorf("got %v, first %v", got, one)
		}
		second.number("r", "two", 2, 0, 0)
		wantTaken(t, second.wantReceipt())
	})
}
