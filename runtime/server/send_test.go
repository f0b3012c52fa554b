package server_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestAReceiptTellsThePlaceInTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.knowing("anna", "r", 1, 1), s.today("ben", "r")
		anna.want(joinRoom)
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("hi"), SendNumber: 5})
		receipt, got := anna.wantReceipt(), ben.wantText("hi")
		wantTaken(t, receipt)
		if receipt.GetMessageId() != "m" || receipt.GetRoomId() != "r" || receipt.GetSendNumber() != 5 || receipt.GetDuplicate() ||
			receipt.GetSeq() != got.GetSeq() || receipt.GetEpoch() != got.GetEpoch() ||
			!receipt.GetTime().AsTime().Equal(got.GetTimestamp().AsTime()) {
			t.Errorf("receipt %v, message %v", receipt, got)
		}
	})
}

func TestARepeatGetsTheFirstReceiptAgainAndIsNotDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		ben, anna := s.today("ben", "r"), s.knowing("anna", "r", 1, 1)
		ben.want(joinRoom)
		request := &imv1.MessageRequest{
			MessageId: "m", RoomId: "r", Type: text, Content: []byte("once"), Metadata: map[string]string{"a": "1", "b": "2"},
		}
		anna.send(request)
		first := anna.wantReceipt()
		anna.pass(time.Minute)
		ben.wantText("once")
		request.Timestamp = timestamppb.Now() // a clock is no payload
		desk := s.knowing("anna", "r", 2, 1)  // nor does the session matter
		desk.send(request)
		again := desk.wantReceipt()
		if !again.GetDuplicate() || again.GetSeq() != first.GetSeq() || again.GetEpoch() != first.GetEpoch() ||
			!again.GetTime().AsTime().Equal(first.GetTime().AsTime()) {
			t.Errorf("first %v, again %v", first, again)
		}
		ben.silent()
		anna.silent()
		if s.server.Stats().Duplicates != 1 {
			t.Errorf("stats: %+v", s.server.Stats())
		}
	})
}

func TestTheSameIDWithAnotherPayloadIsRefused(t *testing.T) {
	t.Parallel()
	first := &imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("a"), Metadata: map[string]string{"k": "v"}}
	for name, other := range map[string]*imv1.MessageRequest{
		"content":  {MessageId: "m", RoomId: "r", Type: text, Content: []byte("b"), Metadata: map[string]string{"k": "v"}},
		"type":     {MessageId: "m", RoomId: "r", Type: 9, Content: []byte("a"), Metadata: map[string]string{"k": "v"}},
		"metadata": {MessageId: "m", RoomId: "r", Type: text, Content: []byte("a"), Metadata: map[string]string{"k": "w"}},
		"ack": {
			MessageId: "m", RoomId: "r", Type: text, Content: []byte("a"), Metadata: map[string]string{"k": "v"}, AckRequired: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := start(t)
				anna := s.knowing("anna", "r", 1, 1)
				anna.send(first)
				wantTaken(t, anna.wantReceipt())
				anna.send(other)
				wantRefused(t, anna.wantReceipt(), codes.AlreadyExists, `"m"`, "used before")
				ben := s.knowing("ben", "r", 2, 1) // another user's id is another id
				ben.send(other)
				wantTaken(t, ben.wantReceipt())
			})
		})
	}
}

func TestAClientOfTodayLosesNoMessageToAnIDThatItUsesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, keeping(roomlog.Retention{DedupeWindow: time.Minute}))
		ben, anna := s.today("ben", "r"), s.today("anna", "r")
		ben.want(joinRoom)
		anna.say("r", "1", "before")
		anna.say("r", "1", "after") // its ids have started from 1 again
		anna.say("r", "1", "before")
		anna.say("r", "1", "after")
		ben.wantText("before")
		ben.wantText("after")
		anna.silent() // all of it has been handled
		ben.silent()
		anna.pass(40 * time.Second)
		anna.say("r", "2", "later")
		ben.wantText("later")
		anna.pass(30 * time.Second)
		anna.say("r", "1", "before") // long ago
		ben.wantText("before")
		anna.say("r", "2", "later")
		anna.silent() // all of it has been handled
		ben.silent()
		if got := s.server.Stats(); got.Duplicates != 3 || got.Refused != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}

func TestRepeatsAreRecognisedForTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		anna := start(t, keeping(roomlog.Retention{Messages: 1, DedupeWindow: time.Minute})).knowing("anna", "r", 1, 1)
		repeat := func(id string, want bool) {
			t.Helper()
			anna.say("r", id, "x")
			if got := anna.wantReceipt(); got.GetDuplicate() != want {
				t.Errorf("%s: duplicate %v, want %v", id, got.GetDuplicate(), want)
			}
		}
		for _, id := range []string{"1", "2", "3", "4", "5"} {
			repeat(id, false)
		}
		anna.pass(59 * time.Second)
		repeat("1", true) // its message is gone from the log, its key is not
		anna.pass(2 * time.Second)
		repeat("1", false)
	})
}

func TestAMessageThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request *imv1.MessageRequest
		code    codes.Code
		words   string
	}{
		"no type":         {&imv1.MessageRequest{RoomId: "r"}, codes.InvalidArgument, "type is not set"},
		"no room":         {&imv1.MessageRequest{Type: text}, codes.InvalidArgument, "room_id is empty"},
		"a FRAME":         {&imv1.MessageRequest{RoomId: "r", Type: 16}, codes.InvalidArgument, "not agreed on"},
		"type 63":         {&imv1.MessageRequest{RoomId: "r", Type: 63}, codes.InvalidArgument, "not agreed on"},
		"SYSTEM":          {&imv1.MessageRequest{RoomId: "r", Type: system}, codes.PermissionDenied, "only the server sends"},
		"JOIN_ROOM":       {&imv1.MessageRequest{RoomId: "r", Type: joinRoom}, codes.PermissionDenied, "only the server sends"},
		"LEAVE_ROOM":      {&imv1.MessageRequest{RoomId: "r", Type: leaveRoom}, codes.PermissionDenied, "only the server sends"},
		"a long id":       {&imv1.MessageRequest{MessageId: strings.Repeat("x", 129), Type: text}, codes.InvalidArgument, "MessageRequest"},
		"a long room":     {&imv1.MessageRequest{RoomId: strings.Repeat("x", 129), Type: text}, codes.InvalidArgument, "MessageRequest"},
		"a negative type": {&imv1.MessageRequest{RoomId: "r", Type: -1}, codes.InvalidArgument, "type is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				anna := start(t).knowing("anna", "r", 1, 1)
				anna.send(test.request)
				wantRefused(t, anna.wantReceipt(), test.code, test.words)
				anna.say("r", "fine", "the stream lives")
				wantTaken(t, anna.wantReceipt())
			})
		})
	}
}
