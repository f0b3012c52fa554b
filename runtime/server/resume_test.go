package server_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const gap = imv1.MessageType_MESSAGE_TYPE_GAP

func cursor(room string, epoch, seq uint64) *imsdkv1.Cursor {
	return &imsdkv1.Cursor{RoomId: room, Epoch: epoch, Seq: seq}
}

// handled tells the server up to where the peer has handled a room.
func (p *peer) handled(to ...*imsdkv1.Cursor) {
	p.t.Helper()
	p.send(&imv1.MessageRequest{
		Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: []byte(marshal(p.t, &imsdkv1.Cursors{Cursors: to})),
	})
}

func (p *peer) wantGap() *imsdkv1.Gap {
	p.t.Helper()
	return decode(p.t, p.want(gap).GetContent(), &imsdkv1.Gap{})
}

// wantTexts is what comes next, and that it is one chain.
func (p *peer) wantTexts(before uint64, words ...string) (last *imv1.MessageResponse) {
	p.t.Helper()
	for _, word := range words {
		last = p.wantText(word)
		if last.GetPrevSeq() != before {
			p.t.Fatalf("%q links to %d, want %d", word, last.GetPrevSeq(), before)
		}
		before = last.GetSeq()
	}
	return last
}

func TestAReaderThatComesBackGetsWhatItMissedAndThenTheRestInOneChain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		writer := s.today("writer", "r")
		reader, welcome := s.resuming("reader", "r", 1, 1)
		room := welcome.GetRooms()[0]
		writer.say("r", "1", "one")
		first := reader.want(joinRoom) // its own, which the log has too
		if first.GetPrevSeq() != room.GetHead() {
			t.Errorf("the first message links to %d, the head was %d", first.GetPrevSeq(), room.GetHead())
		}
		one := reader.wantTexts(first.GetSeq(), "one")
		reader.hangUp()
		for _, word := range []string{"two", "three"} {
			writer.say("r", word, word)
		}
		writer.silentAfterOthers()
		again, welcome := s.resuming("reader", "r", 1, 2, cursor("r", one.GetEpoch(), one.GetSeq()))
		if got := welcome.GetRooms()[0]; got.GetEpoch() != one.GetEpoch() || got.GetHead() < one.GetSeq()+3 {
			t.Errorf("Welcome has %v", got)
		}
		left := again.want(leaveRoom) // its own, too
		three := again.wantTexts(left.GetSeq(), "two", "three")
		writer.say("r", "4", "four")
		again.wantTexts(again.want(joinRoom).GetSeq(), "four")
		if left.GetPrevSeq() != one.GetSeq() || three.GetEpoch() != one.GetEpoch() {
			t.Errorf("after %d came one that links to %d", one.GetSeq(), left.GetPrevSeq())
		}
	})
}

func TestAJoinOnTheStreamHasACursorToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		writer := s.knowing("writer", "r", 9, 1)
		writer.say("r", "1", "one")
		one := writer.wantReceipt()
		writer.say("r", "2", "two")
		wantTaken(t, writer.wantReceipt())
		reader, _ := s.resuming("reader", "", 1, 1)
		reader.send(&imv1.MessageRequest{
			MessageId: "j", RoomId: "r", Type: join,
			Content: []byte(marshal(t, &imsdkv1.Join{Cursor: cursor("r", one.GetEpoch(), one.GetSeq())})),
		})
		if got := reader.want(joined); got.GetSeq() != one.GetSeq()+1 || got.GetEpoch() != one.GetEpoch() {
			t.Errorf("JOINED tells head %d, want %d", got.GetSeq(), one.GetSeq()+1)
		}
		reader.wantTexts(one.GetSeq(), "two")
		reader.want(joinRoom)
		reader.join("r", nil) // again: nothing comes twice
		reader.silent()
	})
}

func TestWhatTheLogNoLongerHasIsToldAsAGapWithItsBounds(t *testing.T) {
	t.Parallel()
	const messages, kept = 1200, 1100 // more than a room has at hand beside its log
	for name, test := range map[string]struct {
		cursor func(epoch uint64) *imsdkv1.Cursor
		reason imsdkv1.GapReason
		next   uint64
	}{
		"retention": {
			func(epoch uint64) *imsdkv1.Cursor { return cursor("r", epoch, 2) },
			imsdkv1.GapReason_GAP_REASON_RETENTION, 2 + messages - kept + 1,
		},
		"another log": {
			func(uint64) *imsdkv1.Cursor { return cursor("r", 77, 3) },
			imsdkv1.GapReason_GAP_REASON_OTHER_LOG, 2 + messages - kept + 1,
		},
		"a log that was cut": {
			func(epoch uint64) *imsdkv1.Cursor { return cursor("r", epoch, 5000) },
			imsdkv1.GapReason_GAP_REASON_LOG_CUT, 2 + messages + 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t, keeping(roomlog.Retention{Messages: kept}))
				writer := s.knowing("writer", "", 9, 1)
				s.today("reader", "r") // the notice of it is seq 1
				answer, _ := writer.join("r", nil)
				for i := range messages { // from seq 3: the notice of the writer is 2
					writer.say("r", strconv.Itoa(i), strconv.Itoa(i))
					wantTaken(t, writer.wantReceipt())
				}
				from := test.cursor(answer.GetEpoch())
				reader, welcome := s.resuming("reader", "", 1, 1, from)
				told := reader.wantGap()
				want := &imsdkv1.Gap{
					RoomId: "r", Epoch: from.GetEpoch(), AfterSeq: from.GetSeq(), NextEpoch: answer.GetEpoch(), NextSeq: test.next,
					Reason: test.reason,
				}
				if !proto.Equal(told, want) {
					t.Errorf("told %v, want %v", told, want)
				}
				head := uint64(2 + messages)
				if from.GetEpoch() == answer.GetEpoch() {
					head = max(head, from.GetSeq()) // nothing in Welcome says that a log was cut: GAP does
				}
				if welcome.GetRooms()[0].GetHead() != head {
					t.Errorf("Welcome: %v", welcome.GetRooms())
				}
				before := test.next - 1
				for i := int(test.next) - 3; i < messages; i++ {
					before = reader.wantTexts(before, strconv.Itoa(i)).GetSeq()
				}
				writer.say("r", "live", "live")
				reader.wantTexts(before, "live")
				reader.silent()
			})
		})
	}
}

func TestALogThatIsLostWhileItIsReadIsAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := roomlog.NewMemory(roomlog.Retention{})
		s := start(t, server.WithLog(log))
		writer := s.today("writer", "r")
		reader, _ := s.resuming("reader", "r", 1, 1)
		at := reader.want(joinRoom)
		log.Forget("r")
		writer.say("r", "1", "one")
		told := reader.wantGap()
		if told.GetReason() != imsdkv1.GapReason_GAP_REASON_OTHER_LOG || told.GetEpoch() != at.GetEpoch() ||
			told.GetAfterSeq() != at.GetSeq() || told.GetNextEpoch() == at.GetEpoch() {
			t.Errorf("told %v after %v", told, at)
		}
		one := reader.wantTexts(0, "one")
		if one.GetEpoch() != told.GetNextEpoch() || one.GetSeq() < told.GetNextSeq() {
			t.Errorf("goes on with %v", one)
		}
	})
}

func TestRoomsOfHelloAreJoinedBeforeTheHeaderAndTheRefusedOnesAreLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			if join.RoomID == "secret" {
				return status.Error(codes.PermissionDenied, "not you")
			}
			return nil
		}))
		var from []*imsdkv1.Cursor
		for i := range 40 {
			from = append(from, cursor("room-"+strconv.Itoa(i), 0, 0))
		}
		from = append(from, cursor("secret", 0, 0), cursor("", 0, 0), cursor("room-0", 0, 0))
		_, welcome := s.resuming("anna", "lobby", 1, 1, from...)
		var rooms []string
		for _, room := range welcome.GetRooms() {
			rooms = append(rooms, room.GetRoomId())
		}
		if len(rooms) != 41 || slices.Contains(rooms, "secret") || !slices.Contains(rooms, "lobby") {
			t.Errorf("Welcome has %d rooms: %v", len(rooms), rooms)
		}
		if users := s.users("room-39"); len(users) != 1 {
			t.Errorf("users: %v", users)
		}
	})
}

func TestACursorIsNothingToAClientThatHasNotAgreedOnResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna := s.knowing("anna", "r", 1, 1)
		anna.handled(cursor("r", 1, 1))
		anna.silent()
		if s.server.Stats().Refused != 1 {
			t.Errorf("stats: %+v", s.server.Stats())
		}
	})
}

func TestAReaderFarBehindCatchesUpFromTheLogAndMissesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		writer := s.knowing("writer", "r", 9, 1)
		writer.say("r", "first", "0")
		first := writer.wantReceipt()
		const messages = 5000 // more than the room's tail has
		for i := 1; i <= messages; i++ {
			writer.say("r", strconv.Itoa(i), strconv.Itoa(i))
			if i%1000 == 0 {
				for range 1000 {
					wantTaken(t, writer.wantReceipt())
				}
			}
		}
		reader, _ := s.resuming("reader", "r", 1, 1, cursor("r", first.GetEpoch(), first.GetSeq()))
		last := first.GetSeq()
		for i := 1; i <= messages; i++ {
			message := reader.wantTexts(last, strconv.Itoa(i))
			last = message.GetSeq()
			if i%100 == 0 {
				reader.handled(cursor("r", message.GetEpoch(), last))
			}
		}
		writer.say("r", "live", "live")
		if got := reader.want(joinRoom); got.GetPrevSeq() != last {
			t.Errorf("the live messages link to %d, want %d", got.GetPrevSeq(), last)
		}
		reader.wantText("live")
	})
}
