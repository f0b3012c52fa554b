package server_test

import (
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
)

// number sends a numbered text and gives its id, which is its words.
func (p *peer) number(room, words string, number, before, epoch uint64) {
	p.t.Helper()
	p.send(&imv1.MessageRequest{
		MessageId: words, RoomId: room, Type: text, Content: []byte(words), SendNumber: number, PrevSendNumber: before, Epoch: epoch,
	})
}

func TestASendIsDecidedOnlyAfterTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		anna := start(t).knowing("anna", "r", 1, 1)
		anna.number("r", "one", 1, 0, 0)
		wantTaken(t, anna.wantReceipt())
		anna.number("r", "three", 3, 2, 0)
		wantRefused(t, anna.wantReceipt(), codes.Aborted, "send 2", "before send 3")
		anna.number("r", "two", 2, 1, 0)
		wantTaken(t, anna.wantReceipt())
		anna.number("r", "", 4, 2, 0) // no id of its own
		wantTaken(t, anna.wantReceipt())
		anna.send(&imv1.MessageRequest{MessageId: "refused", RoomId: "r", SendNumber: 5, PrevSendNumber: 4})
		wantRefused(t, anna.wantReceipt(), codes.InvalidArgument)
		anna.number("r", "six", 6, 5, 0) // a refusal is a decision
		wantTaken(t, anna.wantReceipt())
	})
}

func TestASendThatComesTooLateIsNeverAppended(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		first := s.knowing("anna", "r", 1, 1)
		first.number("r", "one", 1, 0, 0)
		one := first.wantReceipt()
		second := s.knowing("anna", "r", 1, 2) // gave "two" up, and goes on with the third
		second.number("r", "three", 3, 0, 0)
		wantTaken(t, second.wantReceipt())
		second.number("r", "two", 2, 0, 0) // somebody had it in a buffer
		wantRefused(t, second.wantReceipt(), codes.Aborted, "too late")
		second.number("r", "one", 1, 0, one.GetEpoch()) // a repeat is no late one
		if got := second.wantReceipt(); !got.GetDuplicate() || got.GetSeq() != one.GetSeq() {
			t.Errorf("got %v", got)
		}
		other := s.knowing("anna", "r", 2, 1) // another session has numbers of its own
		other.number("r", "four", 1, 0, 0)
		wantTaken(t, other.wantReceipt())
		stranger := s.knowing("mallory", "r", 1, 1) // and so has another user under the same session id
		stranger.number("r", "five", 100, 0, 0)
		wantTaken(t, stranger.wantReceipt())
		second.number("r", "six", 4, 0, 0)
		wantTaken(t, second.wantReceiptAfterOthers())
	})
}

func TestASendThatWasFirstTriedInAnotherLogIsRefusedAsPerhapsDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := roomlog.NewMemory(roomlog.Retention{})
		s := start(t, server.WithLog(log))
		anna := s.knowing("anna", "r", 1, 1)
		anna.number("r", "one", 1, 0, 0)
		one := anna.wantReceipt()
		log.Forget("r")
		anna.number("r", "one", 1, 0, one.GetEpoch()+1)
		wantRefused(t, anna.wantReceipt(), codes.DataLoss, "may have been delivered")
		anna.number("r", "one", 1, 0, one.GetEpoch()) // the room has not seen yet that its log is gone: the engine knows
		wantRefused(t, anna.wantReceipt(), codes.DataLoss, "may have been delivered")
		anna.number("r", "one", 1, 0, 0) // at least once, if the sender wants it
		if got := anna.wantReceipt(); got.GetDuplicate() || got.GetEpoch() == one.GetEpoch() {
			t.Errorf("got %v", got)
		}
	})
}
