package server_test

import (
	"testing"
)

func TestTwoClientsOfTodayTalkInARoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := start(t)
		anna, ben := s.today("anna", "r"), s.today("ben", "r")
		anna.want(joinRoom)
		ben.say("r", "m1", "hello")
		got := anna.wantText("hello")
		if got.GetFromUserId() != "ben" || got.GetRoomId() != "r" || got.GetMessageId() != "m1" {
			t.Errorf("got %v", got)
		}
		ben.silent() // no echo
	})
}
