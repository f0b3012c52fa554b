package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

func TestTwoClientsOfTodayTalkInARoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.today("anna", "r"), s.today("ben", "r")
		anna.want(joinRoom)
		ben.send(&imv1.MessageRequest{
			MessageId: "m1", RoomId: "r", Type: text, Content: []byte("hello"), Metadata: map[string]string{"k": "v"},
		})
		got := anna.wantText("hello")
		want := &imv1.MessageResponse{
			MessageId: "m1", FromUserId: "ben", RoomId: "r", Type: text, Content: []byte("hello"),
			Metadata: map[string]string{"k": "v"}, Timestamp: got.GetTimestamp(),
			Seq: 3, PrevSeq: 2, Epoch: got.GetEpoch(), // after two notices
		}
		if !proto.Equal(got, want) || !got.GetTimestamp().IsValid() || got.GetEpoch() == 0 {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestTheSenderGetsNoCopyButAnotherSessionOfTheSameUserDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		phone, desk := s.today("anna", "r"), s.knowing("anna", "r", 7, 1)
		phone.say("r", "m1", "from the phone")
		desk.wantText("from the phone")
		phone.silent()
		desk.say("r", "m2", "from the desk")
		if got := phone.wantText("from the desk"); got.GetSessionId() != 7 {
			t.Errorf("session id %d", got.GetSessionId())
		}
		wantTaken(t, desk.wantReceipt())
		desk.silent()
	})
}

func TestAClientOfTodayGetsItsOwnMessageBackWhereTheOperatorWantsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithEchoToday())
		today, knowing := s.today("anna", "r"), s.knowing("ben", "r", 7, 1)
		today.want(joinRoom)
		today.say("r", "m1", "echo")
		today.wantText("echo")
		knowing.wantText("echo")
		knowing.say("r", "m2", "no echo")
		knowing.wantReceipt()
		knowing.silent()
	})
}

func TestAllReadersSeeOneOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		readers := []*peer{s.today("r1", "r"), s.today("r2", "r"), s.knowing("r3", "r", 3, 1)}
		for range 4 {
			go func(p *peer) {
				for i := range 50 {
					p.say("r", strconv.Itoa(i), p.user)
				}
			}(s.today(fmt.Sprintf("w%d", len(s.users("r"))), "r"))
		}
		var orders []string
		for _, reader := range readers {
			var order strings.Builder
			prev := uint64(0)
			for texts := 0; texts < 200; {
				message := reader.next()
				if prev != 0 && message.GetPrevSeq() != prev {
					t.Fatalf("seq %d follows %d, not %d", message.GetSeq(), message.GetPrevSeq(), prev)
				}
				prev = message.GetSeq()
				if message.GetType() == text {
					texts++
					order.WriteString(message.GetFromUserId() + message.GetMessageId() + " ")
				}
			}
			orders = append(orders, order.String())
		}
		if orders[0] != orders[1] || orders[1] != orders[2] {
			t.Error("the readers saw different orders")
		}
	})
}

func TestAnUnregisteredKindTravelsAsItsBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.today("anna", "r"), s.today("ben", "r")
		anna.want(joinRoom)
		raw := []byte{0, 0xff, 1}
		ben.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: 1234, Content: raw})
		if got := anna.want(1234); string(got.GetContent()) != string(raw) {
			t.Errorf("got %v", got.GetContent())
		}
	})
}

func TestAStalledReaderOfTodayDelaysNobodyAndIsEndedOnceTheLogHasGoneOnWithoutIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, keeping(roomlog.Retention{Messages: 4}), server.WithMaxMessageBytes(1<<20))
		stalled, reader, writer := s.today("stalled", "r"), s.today("reader", "r"), s.today("writer", "r")
		reader.want(joinRoom)
		page := strings.Repeat("x", 500<<10)
		for i := range 40 {
			writer.say("r", strconv.Itoa(i), page)
			reader.wantAfterOthers(text) // nobody waits for the stalled one
		}
		wantStatus(t, stalled.ended(), codes.ResourceExhausted, "reads too slowly")
		if s.server.Stats().SlowReaders != 1 {
			t.Errorf("stats: %+v", s.server.Stats())
		}
	})
}

func TestAClientThatSendsAndReadsNoAnswersIsEnded(t *testing.T) {
	t.Parallel()
	for name, queue := range map[string]server.Option{
		"by number": server.WithQueue(8, 8<<20), "by bytes": server.WithQueue(4096, 64<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, queue)
				anna := s.today("anna", "")
				go func() {
					for err := error(nil); err == nil; {
						err = anna.rpc.Send(&imv1.MessageRequest{MessageId: strings.Repeat("i", 100), Type: heartbeat})
					}
				}()
				synctest.Wait()
				wantStatus(t, anna.ended(), codes.ResourceExhausted, "reads too slowly")
				if s.server.Stats().SlowReaders != 1 {
					t.Errorf("stats: %+v", s.server.Stats())
				}
			})
		})
	}
}

func TestWhatIsTooLargeForAReaderIsRefusedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithMaxMessageBytes(1000))
		anna := s.knowing("anna", "r", 1, 1)
		anna.say("r", "m1", strings.Repeat("x", 1000))
		wantRefused(t, anna.wantReceipt(), codes.ResourceExhausted, "takes 1000")
		anna.send(&imv1.MessageRequest{MessageId: "m2", RoomId: "r", Type: 1000, Content: make([]byte, 4<<20+1)})
		refused := anna.wantReceipt()
		wantRefused(t, refused, codes.InvalidArgument)
		if violations := refused.GetRefusal().GetViolations(); len(violations) != 1 || violations[0].GetPath() != "content" {
			t.Errorf("violations: %v", violations)
		}
		anna.say("r", "m3", "short")
		wantTaken(t, anna.wantReceipt())
	})
}
