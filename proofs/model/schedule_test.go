package model_test

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// schedule is one run.
type schedule struct {
	Rooms int
	Users []user
	Steps []step
}

// user is one user with one session at a time.
type user struct {
	Echo    bool          // it hears itself
	Handler time.Duration // what its handlers take
	Window  int           // bytes; 0: the default
	Stays   bool          // it is in all rooms all the time; others come and go
}

// step is one thing that happens.
type step struct {
	What  string
	User  int
	Room  int
	Count int
	Size  int
	Time  time.Duration
}

// GoString is how a failing schedule is printed.
func (s schedule) GoString() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d rooms", s.Rooms)
	for i, u := range s.Users {
		fmt.Fprintf(&text, "\n  user %d: %+v", i+1, u)
	}
	for _, s := range s.Steps {
		fmt.Fprintf(&text, "\n  %-24s user %d, room %d, %d × %d bytes, %s", s.What, s.User+1, s.Room, s.Count, s.Size, s.Time)
	}
	return text.String()
}

// What can happen.
const (
	stepSend    = "send"
	stepHurried = "send and give up"
	stepWait    = "wait"
	stepCut     = "cut"
	stepFreeze  = "freeze"
	stepRestart = "restart"
	stepDown    = "stop, wait and start"
	stepForget  = "lose the log"
	stepAgain   = "end and start again"
	stepJoin    = "join"
	stepLeave   = "leave"
	stepLose    = "lose receipts"
	stepRepeat  = "repeat receipts"
	stepOverlap = "overlap replays"
)

// drawSchedule draws a schedule of the steps given.
func drawSchedule(steps ...string) *rapid.Generator[schedule] {
	return rapid.Custom(func(t *rapid.T) schedule {
		s := schedule{Rooms: rapid.IntRange(1, 3).Draw(t, "rooms")}
		s.Users = rapid.SliceOfN(rapid.Custom(drawUser), 2, 4).Draw(t, "users")
		s.Users[0].Stays, s.Users[1].Stays = true, true
		s.Steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				What:  rapid.SampledFrom(steps).Draw(t, "what"),
				User:  rapid.IntRange(0, len(s.Users)-1).Draw(t, "user"),
				Room:  rapid.IntRange(0, s.Rooms-1).Draw(t, "room"),
				Count: rapid.IntRange(1, 20).Draw(t, "count"),
				Size:  rapid.SampledFrom([]int{20, 200, 3000}).Draw(t, "size"),
				Time:  time.Duration(rapid.SampledFrom([]int{0, 1, 10, 200, 3000, 20_000}).Draw(t, "ms")) * time.Millisecond,
			}
		}), 1, 40).Draw(t, "steps")
		return s
	})
}

func drawUser(t *rapid.T) user {
	return user{
		Echo:    rapid.Bool().Draw(t, "echo"),
		Handler: time.Duration(rapid.SampledFrom([]int{0, 0, 1, 50, 1000}).Draw(t, "handler ms")) * time.Millisecond,
		Window:  rapid.SampledFrom([]int{0, 0, 1024, 8000}).Draw(t, "window"),
		Stays:   rapid.Bool().Draw(t, "stays"),
	}
}

// has tells whether a schedule has such a step.
func (s schedule) has(what string) bool {
	for _, step := range s.Steps {
		if step.What == what {
			return true
		}
	}
	return false
}
