package session

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// State is where a session stands. docs/protocol.md has the diagram.
type State uint8

const (
	// StateIdle is before Connect, and after a Connect that failed.
	StateIdle State = iota
	// StateConnecting is while Connect runs.
	StateConnecting
	// StateConnected is while the stream lives.
	StateConnected
	// StateReconnecting is from the stream's end until the next one is ready.
	StateReconnecting
	// StateClosed is for ever.
	StateClosed
)

// String gives the state's name.
func (s State) String() string {
	switch s {
	case StateIdle:
		return "idle"
	case StateConnecting:
		return "connecting"
	case StateConnected:
		return "connected"
	case StateReconnecting:
		return "reconnecting"
	case StateClosed:
		return "closed"
	default:
		return fmt.Sprintf("State(%d)", uint8(s))
	}
}

// machine holds the state and the live stream. Its lock is held for assignments only.
type machine struct {
	entered func(state State) // called under the lock: it must only put something into a queue

	mu      sync.Mutex
	state   State
	reason  error   // why it is closed
	stream  *stream // the live one, while connected
	changed chan struct{}
	waiters map[*waiter]struct{}
	sealed  bool // Connect was called: no more Register
}

// waiter waits for a state and notices it even if it passes at once.
type waiter struct {
	want State
	got  State // set before met is closed
	met  chan struct{}
}

func newMachine(entered func(State)) *machine {
	return &machine{entered: entered, changed: make(chan struct{}), waiters: make(map[*waiter]struct{})}
}

// move changes the state if it is one of those given. It tells the state that it found and the stream that was live, and
// whether it moved. live is the stream from now on; reason is kept when the session closes.
func (m *machine) move(to State, live *stream, reason error, from ...State) (found State, was *stream, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, was = m.state, m.stream
	if !slices.Contains(from, found) {
		return found, was, false
	}
	m.state, m.stream = to, live
	switch to {
	case StateClosed:
		m.reason = reason
	case StateConnecting:
		m.sealed = true
	default:
	}
	close(m.changed)
	m.changed = make(chan struct{})
	for w := range m.waiters {
		if w.want == to || to == StateClosed {
			w.got = to
			close(w.met)
			delete(m.waiters, w)
		}
	}
	m.entered(to)
	return found, was, true
}

func (m *machine) now() (state State, live *stream, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state, m.stream, m.changed
}

func (m *machine) closedReason() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reason
}

// isSealed tells whether Connect was ever called.
func (m *machine) isSealed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sealed
}

// wait returns once the state is, or was meanwhile, the wanted one.
func (m *machine) wait(ctx context.Context, want State) error {
	w, err := m.await(want)
	if w == nil || err != nil {
		return err
	}
	select {
	case <-w.met:
		if w.got != want {
			return ErrClosed
		}
		return nil
	case <-ctx.Done():
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.waiters, w)
		return fmt.Errorf("the session is %s, not %s: %w", m.state, want, context.Cause(ctx))
	}
}

// await gives a waiter, or none if there is nothing to wait for.
func (m *machine) await(want State) (*waiter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.state {
	case want:
		return nil, nil //nolint:nilnil // nothing to wait for, and nothing wrong
	case StateClosed:
		return nil, ErrClosed
	default:
		w := &waiter{want: want, met: make(chan struct{})}
		m.waiters[w] = struct{}{}
		return w, nil
	}
}
