package server_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

const acknowledged = `{"original_message_id":"m","success":true}`

func (p *peer) acknowledge(room, content string) {
	p.t.Helper()
	p.send(&imv1.MessageRequest{MessageId: "ack-1", RoomId: room, Type: ack, Content: []byte(content)})
}

func TestAnAckReachesTheSessionThatAskedForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []server.Ack
		s := start(t, server.WithOnAck(func(_ context.Context, ack server.Ack) { told = append(told, ack) }))
		anna, ben, other := s.knowing("anna", "r", 1, 1), s.today("ben", "r"), s.knowing("anna", "r", 2, 1)
		anna.want(joinRoom)
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("hi"), AckRequired: true})
		wantTaken(t, anna.wantReceipt())
		if !ben.want(text).GetAckRequired() {
			t.Error("the reader was not asked")
		}
		other.wantText("hi")
		ben.acknowledge("r", acknowledged)
		got := anna.want(ack)
		if got.GetFromUserId() != "ben" || got.GetRoomId() != "r" || string(got.GetContent()) != acknowledged ||
			got.GetMessageId() != "ack-1" || got.GetSeq() != 0 {
			t.Errorf("got %v", got)
		}
		ben.acknowledge("", `{"original_message_id":"m","success":false,"error_message":"no"}`) // clients of today may name no room
		anna.want(ack)
		other.silent()
		ben.silent()
		want := []server.Ack{
			{RoomID: "r", MessageID: "m", From: "ben", To: "anna", Success: true},
			{RoomID: "r", MessageID: "m", From: "ben", To: "anna", Text: "no"},
		}
		if len(told) != 2 || told[0] != want[0] || told[1] != want[1] {
			t.Errorf("the operator was told %+v", told)
		}
	})
}

func TestAnAckFollowsItsSessionToANewStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.knowing("anna", "r", 1, 1), s.today("ben", "r")
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("hi"), AckRequired: true})
		ben.wantText("hi")
		again := s.knowing("anna", "r", 1, 2)
		ben.acknowledge("r", acknowledged)
		again.want(ack)
	})
}

func TestAnAckFindsItsMessageThoughEverybodyAndSoTheRoomHasGoneMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, _ := s.resuming("anna", "r", 1, 1)
		ben, _ := s.resuming("ben", "r", 2, 1)
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("hi"), AckRequired: true})
		got := ben.wantAfterOthers(text)
		anna.hangUp()
		ben.hangUp()
		if rooms := s.server.Stats().Rooms; rooms != 0 {
			t.Fatalf("%d rooms", rooms)
		}
		anna, _ = s.resuming("anna", "r", 1, 2)
		ben, _ = s.resuming("ben", "", 2, 2, cursor("r", got.GetEpoch(), got.GetSeq()))
		ben.acknowledge("r", acknowledged)
		if told := anna.wantAfterOthers(ack); told.GetFromUserId() != "ben" {
			t.Errorf("got %v", told)
		}
	})
}

func TestOneAckReachesFewSendersThoughManyHaveUsedTheID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []string
		s := start(t, server.WithOnAck(func(_ context.Context, ack server.Ack) { told = append(told, ack.To) }))
		reader, _ := s.resuming("reader", "r", 1, 1)
		for i := range 20 {
			sender := s.today(strconv.Itoa(i), "r")
			sender.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("x"), AckRequired: true})
			reader.wantAfterOthers(text)
		}
		reader.acknowledge("r", acknowledged)
		reader.silentAfterOthers()
		if want := []string{"12", "13", "14", "15", "16", "17", "18", "19"}; !slices.Equal(told, want) {
			t.Errorf("told were %v, want the last ones %v", told, want)
		}
	})
}

func TestAnAckThatNobodyAskedForGoesNowhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithOnAck(func(context.Context, server.Ack) { t.Error("the operator was told") }))
		anna, ben, stranger := s.today("anna", "r"), s.today("ben", "r"), s.today("stranger", "q")
		anna.want(joinRoom)
		anna.say("r", "m", "no need")
		ben.wantText("no need")
		ben.acknowledge("r", acknowledged)
		ben.acknowledge("r", `not JSON`)
		ben.silent()
		anna.send(&imv1.MessageRequest{MessageId: "m2", RoomId: "r", Type: text, Content: []byte("x"), AckRequired: true})
		ben.wantText("x")
		stranger.acknowledge("r", `{"original_message_id":"m2","success":true}`) // it is not in the room
		stranger.silent()
		ben.say("q", "m3", "in two rooms now")
		ben.acknowledge("q", `{"original_message_id":"m2","success":true}`) // it is in another room
		ben.silent()
		anna.silent()
		if refused := s.server.Stats().Refused; refused != 4 {
			t.Errorf("%d were refused", refused)
		}
	})
}

func TestAnAckOfTheBackendsMessageReachesTheOperator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := make(chan server.Ack, 1)
		s := start(t, server.WithOnAck(func(_ context.Context, ack server.Ack) {
			told <- ack
			_ = crash(nil) // the operator's mistake ends nothing
		}))
		anna := s.today("anna", "r")
		_, err := s.server.Publish(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 4, ID: "m", AckRequired: true})
		if err != nil {
			t.Fatal(err)
		}
		anna.want(system)
		anna.acknowledge("r", acknowledged)
		if got := <-told; got.From != "anna" || got.To != "" || got.MessageID != "m" {
			t.Errorf("told %+v", got)
		}
		anna.silent()
	})
}

func TestAnAckIsLookedUpForAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.today("anna", "r"), s.knowing("ben", "r", 1, 1)
		anna.want(joinRoom)
		for _, id := range []string{"m", "n"} {
			ben.send(&imv1.MessageRequest{MessageId: id, RoomId: "r", Type: text, Content: []byte(id), AckRequired: true})
			wantTaken(t, ben.wantReceipt())
			anna.wantText(id)
			for range 360 {
				ben.pass(10 * time.Second)
				anna.silent()
			}
		}
		anna.acknowledge("r", acknowledged) // of "m": nobody has looked for so long that it is still there
		ben.want(ack)
		ben.send(&imv1.MessageRequest{MessageId: "o", RoomId: "r", Type: text, Content: []byte("o"), AckRequired: true})
		wantTaken(t, ben.wantReceipt())
		anna.wantText("o")
		anna.acknowledge("r", acknowledged)
		anna.acknowledge("r", `{"original_message_id":"n"}`)
		anna.silent()
		if got := ben.want(ack); string(got.GetContent()) != `{"original_message_id":"n"}` {
			t.Errorf("got %s", got.GetContent())
		}
		ben.silent()
	})
}
