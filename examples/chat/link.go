package main

import (
	"errors"

	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// link tells how the connection is. The session calls it from one goroutine, but for first.
type link struct {
	*printer

	session *session.Session // set before Connect
	lost    bool             // it was lost at least once: before that, first tells of it
	last    string           // why the last try to come back failed
}

// first tells of the connection that Connect has made; up, in a goroutine of the session, would tell it later than what
// follows Connect.
func (l *link) first() {
	can := l.session.Capabilities()
	agent := ""
	if can.Agent != "" {
		agent = " to " + can.Agent
	}
	if can.Receipts {
		l.notice("connected%s", agent)
	} else {
		l.notice("connected%s; this server does not tell what became of a message", agent)
	}
}

func (l *link) up() {
	if l.lost {
		l.last = ""
		l.notice("connected again")
	}
}

func (l *link) down(err error) {
	if errors.Is(err, session.ErrClosed) {
		return
	}
	l.lost = true
	l.failure("connection lost: %v", err)
	l.notice("reconnecting; what you type waits")
}

// failed is told of everything that no call returns: failed tries to come back among it, of which only those are worth a
// line that fail for another reason than the one before.
func (l *link) failed(err error) {
	if typed, ok := errors.AsType[*runtime.Error](err); ok {
		reason := typed.Error()
		if reason == l.last {
			return
		}
		l.last = reason
	}
	l.failure("%v", err)
}
