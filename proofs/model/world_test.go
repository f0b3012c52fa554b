package model_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/proofs/internal/sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// world is what a schedule happens to.
type world struct {
	t       *testing.T
	srv     *imtest.Server
	engine  *roomlog.Memory
	book    *ledger.Book
	people  []*person
	rooms   int
	sending sync.WaitGroup

	mu     sync.Mutex
	errors []string // the last ones that sessions told
}

// person is a user, over all its sessions.
type person struct {
	user

	world   *world
	id      int
	session *session.Session
	store   *sdk.CursorStore
	numbers []int // by room: the last one that was sent
}

func roomName(index int) string { return "room " + strconv.Itoa(index) }

func newWorld(t *testing.T, s schedule) *world {
	t.Helper()
	w := &world{t: t, engine: roomlog.NewMemory(roomlog.Retention{}), book: ledger.NewBook(), rooms: s.Rooms}
	w.srv = imtest.NewServer(t, imtest.WithServerOptions(server.WithLog(w.engine)))
	for room := range w.rooms {
		w.lives(room)
	}
	for i, u := range s.Users {
		p := &person{user: u, world: w, id: i + 1, store: sdk.NewCursorStore(), numbers: make([]int, s.Rooms)}
		if u.Echo {
			w.book.HearsOwn(p.id)
		}
		w.people = append(w.people, p)
		p.start()
		for room := range w.rooms {
			if u.Stays {
				w.book.Reads(p.id, room)
			}
		}
	}
	return w
}

// lives tells the book of a room's log.
func (w *world) lives(room int) {
	head, err := w.engine.Head(w.t.Context(), roomName(room))
	if err != nil {
		w.t.Error(err)
	}
	w.book.Add(ledger.Event{
		Kind: ledger.Life, Message: ledger.Message{Room: room}, Place: ledger.Place{Epoch: head.Epoch},
	})
}

// start makes the person's next session, in all rooms, however long it takes.
func (p *person) start() {
	receiving := sdk.Receiving{OnGap: p.told, Window: p.Window, Store: p.store}
	opts := append(receiving.Options(), session.WithRoom(roomName(0)), session.WithOnError(p.world.failed))
	if p.Echo {
		opts = append(opts, session.WithEcho())
	}
	p.session = p.world.srv.Dial("user "+strconv.Itoa(p.id), opts...)
	if _, err := imv1sdk.NewClient(p.session, imv1sdk.Handlers{OnText: p.onText}); err != nil {
		p.world.t.Error(err)
	}
	for p.session.Connect(p.world.t.Context()) != nil {
		time.Sleep(time.Second)
	}
	for room := range p.world.rooms {
		p.join(room)
	}
}

// join joins a room, however long it takes.
func (p *person) join(room int) {
	for {
		_, err := p.session.JoinRoom(p.world.t.Context(), roomName(room))
		if err == nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// again ends the person's session and starts another one from the cursors that were kept.
func (p *person) again() {
	_ = p.session.Close()
	<-p.session.Done()
	p.world.book.MayHearOwn(p.id)
	for room := range p.world.rooms {
		if at, known := p.store.At(roomName(room)); known {
			p.world.book.Rewinds(p.id, room, at)
		} else {
			p.world.book.Leaves(p.id, room)
		}
	}
	p.start()
}

func (p *person) onText(ctx context.Context, m *imv1sdk.TextMessage) error {
	message, err := ledger.ParseText(m.Content.GetText())
	if err != nil || m.RoomID != roomName(message.Room) {
		p.world.failed(fmt.Errorf("%q in %s: %w", m.Content.GetText(), m.RoomID, err))
		return err
	}
	p.world.book.Add(ledger.Event{
		Kind: ledger.Delivered, Reader: p.id, Message: message, Place: ledger.Place{Epoch: m.Epoch, Seq: m.Seq},
	})
	if p.Handler == 0 {
		return nil // a timer of no length can crash the race detector: see runtime/internal/memconn
	}
	select {
	case <-time.After(p.Handler):
	case <-ctx.Done():
	}
	return nil
}

func (p *person) told(room string, gap ledger.Event) {
	var index int
	if _, err := fmt.Sscanf(room, "room %d", &index); err != nil {
		p.world.failed(err)
	}
	gap.Reader, gap.Message.Room = p.id, index
	p.world.book.Add(gap)
}

// send sends a message. Its result is in the book once it is there.
func (p *person) send(ctx context.Context, room, size int) {
	p.numbers[room]++
	m := ledger.Message{Sender: p.id, Room: room, Number: p.numbers[room]}
	p.world.book.Add(ledger.Event{Kind: ledger.Sent, Message: m})
	var pending *runtime.Pending
	if pending = sdk.SendText(ctx, p.session, roomName(room), m.Text(size)); pending == nil {
		return
	}
	p.world.sending.Go(func() {
		receipt, err := pending.Wait(p.world.t.Context())
		p.world.book.Add(sdk.Result(m, receipt, err))
	})
}

func (w *world) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.errors = append(w.errors, err.Error()); len(w.errors) > 10 {
		w.errors = w.errors[1:]
	}
}
