package model_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// always are the steps after which nothing may be missing.
func always() []string {
	return []string{
		stepSend, stepSend, stepSend, stepSend, stepWait, stepWait, stepCut, stepFreeze, stepRestart, stepDown,
		stepJoin, stepLeave, stepLose, stepRepeat, stepOverlap,
	}
}

func TestAnyScheduleThatKeepsTheLogLosesNothing(t *testing.T) {
	t.Parallel()
	check(t, true, always()...)
}

func TestAnyScheduleThatLosesLogsTellsOfEachGap(t *testing.T) {
	t.Parallel()
	check(t, false, append(always(), stepForget)...)
}

func TestAnyScheduleWithProgramsThatStartAgainLosesNothing(t *testing.T) {
	t.Parallel()
	check(t, true, append(always(), stepAgain, stepHurried)...)
}

// check runs schedules of these steps. Whole says that no log is lost.
func check(t *testing.T, whole bool, steps ...string) {
	t.Helper()
	var total ledger.Counts
	schedules := 0
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSchedule(steps...).Draw(rt, "schedule")
		w := run(t, s)
		audit := w.book.Audit()
		schedules++
		total.Sent += audit.Sent
		total.Receipts += audit.Receipts
		total.Delivered += audit.Delivered
		total.Gaps += audit.Gaps
		if err := audit.Err(whole); err != nil {
			rt.Fatalf("%v\nlast errors that sessions told:\n  %s", err, strings.Join(w.errors, "\n  "))
		}
	})
	t.Logf("%d schedules: sent %d  receipts %d  delivered %d  gaps told %d", schedules,
		total.Sent, total.Receipts, total.Delivered, total.Gaps)
}

// run lets a schedule happen, in a bubble of its own. All that may be wrong is in the book.
func run(t *testing.T, s schedule) (w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, s)
		if s.has(stepAgain) || s.has(stepHurried) {
			for _, p := range w.people {
				for room := range w.rooms {
					w.book.Hurries(p.id, room)
				}
			}
		}
		for _, step := range s.Steps {
			w.do(step)
		}
		w.settle()
	})
	return w
}

// do does one step.
func (w *world) do(s step) {
	p := w.people[s.User]
	switch s.What {
	case stepSend:
		for range s.Count {
			p.send(w.t.Context(), s.Room, s.Size)
		}
	case stepHurried:
		ctx, cancel := context.WithTimeout(w.t.Context(), s.Time)
		w.t.Cleanup(cancel)
		for range s.Count {
			p.send(ctx, s.Room, s.Size)
		}
	case stepWait:
		time.Sleep(s.Time)
	case stepCut:
		w.srv.Cut()
	case stepFreeze:
		w.srv.Freeze()
	case stepRestart:
		w.srv.Restart()
	case stepDown:
		w.srv.Stop()
		time.Sleep(s.Time)
		w.srv.Start()
	case stepForget:
		w.engine.Forget(roomName(s.Room))
		w.lives(s.Room)
	case stepAgain:
		p.again()
	case stepJoin, stepLeave:
		w.move(p, s)
	case stepLose:
		w.srv.LoseReceipts(s.Count)
	case stepRepeat:
		w.srv.RepeatReceipts(s.Count%2 == 0)
	case stepOverlap:
		w.srv.OverlapReplays(s.Count - 1)
	}
}

// move lets those who come and go do so.
func (w *world) move(p *person, s step) {
	if p.Stays {
		return
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	var err error
	if s.What == stepJoin {
		_, err = p.session.JoinRoom(ctx, roomName(s.Room))
	} else {
		w.book.Hurries(p.id, s.Room) // what the server has not decided by then is refused
		_, err = p.session.LeaveRoom(ctx, roomName(s.Room))
	}
	if err != nil {
		w.failed(fmt.Errorf("%s: %w", s.What, err))
	}
}

// settle heals everything and waits until all has come that will.
func (w *world) settle() {
	w.srv.LoseReceipts(0)
	w.srv.RepeatReceipts(false)
	w.srv.OverlapReplays(0)
	for range 60 {
		time.Sleep(time.Minute) // a slow handler takes a second for each of 800 messages
		if unanswered, missing, _ := w.book.Open(); unanswered == 0 && missing == 0 {
			break
		}
	}
	synctest.Wait()
	for _, p := range w.people {
		if state := p.session.State(); state != session.StateConnected {
			w.failed(fmt.Errorf("user %d is %s at the end", p.id, state))
		}
		_ = p.session.Close()
		<-p.session.Done()
	}
	w.sending.Wait()
}
