package session

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/kindset"
)

// Session is one user's live session. Make it with [Dial] or [New], register generated clients on it, then call Connect.
// All methods are safe for concurrent use, but for Register, which comes before Connect; each may be called from a
// handler or callback.
type Session struct {
	config *config
	target string // for errors
	client imv1.IMServiceClient
	conn   *grpc.ClientConn // to nudge when it is down; nil if it is not known
	owned  bool             // conn is the session's own

	id       uint64 // of the handshake; never 0
	idPrefix string // of message ids
	messages atomic.Uint64
	streams  atomic.Uint32
	peer     peerMemory

	router   runtime.Router
	kinds    func() kindset.Set // the router's; not before Connect
	theirs   *kindset.Teller
	ackKind  *runtime.TypedKind[*imv1.AckContent]
	rules    *requestRules
	counters counters

	machine   *machine
	group     *group
	callbacks *callbacks
	awaited   *awaited
	lanes     *lanes
	outbox    *outbox
	repeats   *repeats
	unary     unaryRooms
	rooms     *rooms
	positions *positions
	teller    *teller
	saves     *saves
	waker     *waker
	acks      *controlQueue // ACKs that wait for a stream

	cursorsLoaded bool // Connect alone uses it

	ctx     context.Context //nolint:containedctx // the session's life: streams and handlers end with it
	cancel  context.CancelCauseFunc
	closing chan struct{} // closed first when the session closes: the stream may end in good order
	closed  chan struct{} // closed when Close returns
}

var _ runtime.Session = (*Session)(nil)

// New makes a session on a client that the application has, such as one that its own service discovery made. The
// session never closes the client's connection. Options that are for Dial only make it fail.
func New(client imv1.IMServiceClient, opts ...Option) (*Session, error) {
	c, err := newConfig(opts)
	switch {
	case client == nil:
		err = errors.Join(err, errors.New("the client is nil"))
	case len(c.dialing.used) > 0:
		err = errors.Join(err, fmt.Errorf("%v: for Dial only; New takes a client whose connection is made already",
			c.dialing.used))
	}
	if err != nil {
		return nil, fmt.Errorf("session.New: %w", err)
	}
	target := "the given client's server"
	if c.conn != nil {
		target = strconv.Quote(c.conn.Target())
	}
	return newSession(c, target, client, c.conn, false), nil
}

func newSession(c *config, target string, client imv1.IMServiceClient, conn *grpc.ClientConn, owned bool) *Session {
	g := newGroup()
	g.enter() // the session itself, until Close
	waits, places := newAwaited(), newPositions()
	s := &Session{
		config: c, target: target, client: client, conn: conn, owned: owned,
		id:        newSessionID(),
		ackKind:   newAckKind(),
		rules:     newRequestRules(),
		group:     g,
		callbacks: &callbacks{group: g, log: c.log},
		awaited:   waits,
		lanes:     newLanes(g, waits, c.receiving.laneMessages, c.receiving.laneWorkers),
		outbox:    newOutbox(&c.sending, places.logEpoch),
		repeats:   newRepeats(),
		rooms:     newRooms(c.room, c.roomMetadata),
		positions: places,
		waker:     c.waker,
		acks:      newControlQueue(),
		closing:   make(chan struct{}),
		closed:    make(chan struct{}),
	}
	s.kinds = sync.OnceValue(func() kindset.Set { return kindset.Of(s.router.Kinds()) })
	s.theirs = &kindset.Teller{Log: c.log, Other: "server"}
	s.teller = &teller{user: c.user, positions: s.positions}
	s.idPrefix = strconv.FormatUint(s.id, 16) + "-"
	s.machine = newMachine(s.entered)
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.saves = &saves{
		store: c.receiving.store, group: g, log: c.log, report: s.reportError, closing: s.closing,
		ctx: context.WithoutCancel(s.ctx),
	}
	s.positions.save = s.saves.moved
	return s
}

// newSessionID is a number that nobody can guess: a new stream of a session ends its old one. 0 means none.
func newSessionID() uint64 {
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // it never fails
	return max(binary.LittleEndian.Uint64(raw[:]), 1)
}

// Register tells the session what a generated package has; the package's NewClient calls it. It fails once Connect was
// called, and when another package has one of the kinds.
func (s *Session) Register(registration runtime.Registration) error {
	if s.machine.isSealed() {
		return fmt.Errorf("register %s: make generated clients before Connect: %w",
			registration.Package, ErrAlreadyConnected)
	}
	return s.router.Add(registration)
}

// User is the user whose session it is.
func (s *Session) User() string { return s.config.user }

// State is where the session stands.
func (s *Session) State() State {
	state, _, _ := s.machine.now()
	return state
}

// WaitState waits until the session enters a state, or is in it already; a state that it passes through in no time counts
// too. It fails when ctx is done, and with ErrClosed when the session closes before.
func (s *Session) WaitState(ctx context.Context, state State) error {
	return s.machine.wait(ctx, state)
}

// Done is closed once the session is closed and all its goroutines have ended, handlers and callbacks too.
func (s *Session) Done() <-chan struct{} { return s.group.done }

// Err tells why the session is closed: ErrClosed after Close, else what used up the tries to reconnect. Nil before.
func (s *Session) Err() error { return s.machine.closedReason() }

// Capabilities tells what the live stream has; it may grow while the stream lives, as a server may show late what it
// knows. The zero value while there is none.
func (s *Session) Capabilities() Capabilities {
	_, live, _ := s.machine.now()
	if live == nil {
		return Capabilities{}
	}
	return live.capabilities()
}

// Stats counts what the session has done.
func (s *Session) Stats() Stats { return s.counters.snapshot() }

// usable fails for a session that was never connected, or is closed.
func (s *Session) usable() error {
	switch state, _, _ := s.machine.now(); state {
	case StateIdle:
		return ErrNotConnected
	case StateClosed:
		return s.closedError()
	default:
		return nil
	}
}

func (s *Session) notClosed() error {
	if s.State() == StateClosed {
		return s.closedError()
	}
	return nil
}

// closedError is ErrClosed, with the reason if Close was not the reason.
func (s *Session) closedError() error {
	if reason := s.machine.closedReason(); reason != nil && !errors.Is(reason, ErrClosed) {
		return fmt.Errorf("%w: %w", ErrClosed, reason)
	}
	return ErrClosed
}

// live waits for a live stream other than the one given.
func (s *Session) live(ctx context.Context, but *stream) (*stream, error) {
	for {
		state, live, changed := s.machine.now()
		switch {
		case state == StateIdle:
			return nil, ErrNotConnected
		case state == StateClosed:
			return nil, s.closedError()
		case live != nil && live != but:
			return live, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("there was no stream, the session is %s: %w", state, context.Cause(ctx))
		}
	}
}

func (s *Session) isLive(st *stream) bool {
	_, live, _ := s.machine.now()
	return live == st
}

// entered runs under the machine's lock: it only queues callbacks, in the order of the states.
func (s *Session) entered(state State) {
	if onState := s.config.handlers.onState; onState != nil {
		s.callbacks.add(func() { onState(state) })
	}
	if onConnect := s.config.handlers.onConnect; onConnect != nil && state == StateConnected {
		s.callbacks.add(onConnect)
	}
}

// move changes the state and logs it, which must not happen under the machine's lock: the logger is the application's.
func (s *Session) move(to State, live *stream, reason error, from ...State) (found State, was *stream, ok bool) {
	found, was, ok = s.machine.move(to, live, reason, from...)
	if ok {
		s.config.log.Debug("the session's state", "state", to.String())
	}
	return found, was, ok
}

// disconnected tells the application that a live stream is gone.
func (s *Session) disconnected(err error) {
	s.config.log.Info("disconnected", "error", err)
	if onDisconnect := s.config.handlers.onDisconnect; onDisconnect != nil {
		s.callbacks.add(func() { onDisconnect(err) })
	}
}

// reportError tells the application what no caller hears of.
func (s *Session) reportError(err error) {
	s.counters.errors.Add(1)
	s.config.log.Warn("error", "error", err)
	onError := s.config.handlers.onError
	if onError != nil && !s.callbacks.addError(func() { onError(err) }) {
		s.config.log.Error("OnError is not called: too many calls wait", "error", err)
	}
}
