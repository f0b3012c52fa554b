package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// shelf is a CursorStore that writes down what it is asked for.
type shelf struct {
	diary

	mu   sync.Mutex
	ways ways
	kept map[string]session.Cursor
}

// ways are how a shelf behaves.
type ways struct {
	fail error         // what it returns
	hang time.Duration // how long Save takes
	boom bool          // it panics
}

func (s *shelf) be(w ways) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ways = w
}

func (s *shelf) now() ways {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ways.boom {
		panic("oh no") //nolint:forbidigo // what is tested
	}
	return s.ways
}

func (s *shelf) Load(context.Context) ([]session.Cursor, error) {
	w := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var cursors []session.Cursor
	for _, cursor := range s.kept {
		cursors = append(cursors, cursor)
	}
	return cursors, w.fail
}

func (s *shelf) Save(ctx context.Context, changed []session.Cursor) error {
	var names []string
	for _, cursor := range changed {
		names = append(names, fmt.Sprintf("%s %d/%d", cursor.RoomID, cursor.Epoch, cursor.Seq))
	}
	s.add("save %s", strings.Join(names, ", "))
	w := s.now()
	time.Sleep(w.hang)
	if err := errors.Join(w.fail, ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = make(map[string]session.Cursor)
	}
	for _, cursor := range changed {
		s.kept[cursor.RoomID] = cursor
	}
	return nil
}

func (s *shelf) Delete(_ context.Context, room string) error {
	s.add("delete %s", room)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, room)
	return s.ways.fail
}

func TestASessionGoesOnWhereTheOneBeforeStood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		n := start(t, &k.script)
		store := new(shelf)
		d := new(diary)
		s, _ := chat(t, n, texts(d, nil), session.WithRoom("r"), session.WithCursorStore(store))
		if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		equal(t, "where a room was joined is kept", store.take(), "save b 7/10, r 7/10")
		k.peer(t, 1).pushAll(t, logged("r", 10, 11), logged("b", 10, 11), logged("r", 11, 12))
		equal(t, "not at once", store.take())
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		equal(t, "together", store.take(), "save b 7/11, r 7/12")
		k.peer(t, 1).pushAll(t, logged("r", 12, 13))
		began := time.Now()
		_ = s.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("Close took %s", took)
		}
		equal(t, "in Close", store.take(), "save r 7/13")
		<-s.Done()

		s, _ = chat(t, n, texts(d, nil), session.WithRoom("r"), session.WithCursorStore(store))
		p := k.peer(t, 2)
		equal(t, "the next process starts with", resumed(p), "r 7/13")
		if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		if at := joinedAt(t, p.all(joinType)[0]); at != 11 {
			t.Errorf("b is joined at %d", at)
		}
		p.pushAll(t, logged("r", 13, 14), logged("b", 11, 12))
		time.Sleep(time.Second)
		equal(t, "saved", store.take(), "save b 7/12, r 7/14")
		if k.streams() != 2 {
			t.Errorf("%d streams", k.streams())
		}

		if _, err := s.LeaveRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		equal(t, "a room that was left", store.take(), "delete b")
		if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		if join := p.all(joinType)[1]; len(join.GetContent()) > 0 {
			t.Errorf("the cursor is used again: %v", join)
		}
	})
}

func TestAStoredCursorIsUsedHoweverOftenTheJoinIsTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		store := &shelf{kept: map[string]session.Cursor{"b": {RoomID: "b", Epoch: 7, Seq: 5}, "x": {RoomID: "x"}}}
		k.on = func(p *peer, m *imv1.MessageRequest) (bool, error) {
			if m.GetType() == joinType && p.number == 1 {
				return true, status.Error(codes.Unavailable, "crash")
			}
			return false, nil
		}
		s := start(t, &k.script).connected(t, session.WithCursorStore(store))
		if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		if at := joinedAt(t, k.peer(t, 2).all(joinType)[0]); at != 5 {
			t.Errorf("b is joined at %d", at)
		}
		equal(t, "no room that the session is not in", resumed(k.peer(t, 2)))
	})
}

func TestAStoreThatDoesNotLoadFailsConnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		gone := errors.New("the disk is gone")
		store := &shelf{ways: ways{fail: gone}}
		s := start(t, &k.script).session(t, session.WithRoom("r"), session.WithCursorStore(store))
		err := s.Connect(t.Context())
		want := `connect to "passthrough:///script": the cursor store does not load: the disk is gone`
		if !errors.Is(err, gone) || err.Error() != want || s.State() != session.StateIdle || k.streams() != 0 {
			t.Errorf("Connect: %v; %s", err, s.State())
		}
		store.be(ways{boom: true})
		if err := s.Connect(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "it panicked: oh no") {
			t.Errorf("Connect: %v", err)
		}
		store.be(ways{})
		store.kept = map[string]session.Cursor{"r": {RoomID: "r", Epoch: 7, Seq: 3}}
		connect(t, s)
		equal(t, "Hello", resumed(k.peer(t, 1)), "r 7/3")
	})
}

func TestWhatCouldNotBeSavedIsSavedNextTime(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]ways{"an error": {fail: errors.New("the disk is full")}, "a panic": {boom: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKeeper()
				store := new(shelf)
				var reported []error
				s, _ := chat(t, start(t, &k.script), texts(new(diary), nil), session.WithRoom("r"), session.WithCursorStore(store),
					session.WithOnError(func(err error) { reported = append(reported, err) }))
				if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				store.take()
				store.be(broken)
				p := k.peer(t, 1)
				p.pushAll(t, logged("r", 10, 11))
				time.Sleep(time.Minute)
				synctest.Wait()
				equal(t, "once", store.take(), "save r 7/11")
				if len(reported) != 1 || !strings.HasPrefix(reported[0].Error(), "save cursors: ") {
					t.Errorf("OnError: %v", reported)
				}
				store.be(ways{})
				p.pushAll(t, logged("b", 10, 11))
				time.Sleep(time.Second)
				equal(t, "with the next one", store.take(), "save b 7/11, r 7/11")
				store.be(broken)
				p.pushAll(t, logged("r", 11, 12))
				time.Sleep(time.Second)
				store.be(ways{})
				_ = s.Close()
				equal(t, "in Close", store.take(), "save r 7/12", "save r 7/12")
			})
		})
	}
}

func TestAHandlerThatCloseInterruptsHasNotHandledItsMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		store := new(shelf)
		d := new(diary)
		finish := make(chan struct{})
		s, _ := chat(t, start(t, &k.script), imv1sdk.Handlers{OnText: func(ctx context.Context, m *imv1sdk.TextMessage) error {
			d.add("%s %s", m.RoomID, m.ID)
			<-ctx.Done()
			if m.RoomID == "gives up" {
				return ctx.Err()
			}
			<-finish
			return nil
		}}, session.WithRoom("gives up"), session.WithCursorStore(store))
		if _, err := s.JoinRoom(t.Context(), "finishes"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		store.take()
		p := k.peer(t, 1)
		p.pushAll(t, row("gives up", 11, 12)...)
		p.pushAll(t, row("finishes", 11, 12)...)
		_ = s.Close()
		synctest.Wait()
		equal(t, "while a handler runs", store.take())
		close(finish)
		<-s.Done()
		equal(t, "before Done", store.take(), "save finishes 7/11")
		equal(t, "what waited is dropped", d.take(), "gives up m11", "finishes m11")
	})
}

func TestCloseDoesNotWaitLongForASave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		store := new(shelf)
		s, _ := chat(t, start(t, &k.script), texts(new(diary), nil), session.WithRoom("r"), session.WithCursorStore(store))
		time.Sleep(time.Second)
		store.be(ways{hang: 3 * time.Second})
		k.peer(t, 1).pushAll(t, logged("r", 10, 11))
		began := time.Now()
		_ = s.Close()
		if took := time.Since(began); took > time.Second {
			t.Errorf("Close took %s", took)
		}
		<-s.Done()
		if took := time.Since(began); took < 3*time.Second || !slices.Contains(store.take(), "save r 7/11") || store.kept["r"].Seq != 11 {
			t.Errorf("Done after %s: %v", took, store.kept)
		}
	})
}

func TestCloseWaitsForAShortSave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		store := new(shelf)
		s, _ := chat(t, start(t, &k.script), texts(new(diary), nil), session.WithRoom("r"), session.WithCursorStore(store))
		time.Sleep(time.Second)
		store.be(ways{hang: 100 * time.Millisecond})
		k.peer(t, 1).pushAll(t, logged("r", 10, 11))
		_ = s.Close()
		if kept, _ := store.Load(t.Context()); len(kept) != 1 || kept[0].Seq != 11 {
			t.Errorf("kept when Close returns: %v", kept)
		}
	})
}

func TestASaveHangsUpNoHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		store := &shelf{ways: ways{hang: time.Minute}}
		d := new(diary)
		var reported error
		chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"), session.WithCursorStore(store),
			session.WithOnError(func(err error) { reported = err }))
		time.Sleep(time.Second)
		k.peer(t, 1).pushAll(t, row("r", 11, 13)...)
		equal(t, "handled", d.take(), "11", "12", "13")
		equal(t, "one save at a time", store.take(), "save r 7/10")
		store.be(ways{})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		equal(t, "then what moved meanwhile", store.take(), "save r 7/13")
		if !errors.Is(reported, context.DeadlineExceeded) {
			t.Errorf("a store whose context has ended: %v", reported)
		}
	})
}

// stuck is a store whose Load waits for its context.
type stuck struct{ shelf }

func (*stuck) Load(ctx context.Context) ([]session.Cursor, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAStoreThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &newKeeper().script).session(t, session.WithCursorStore(new(stuck)), session.WithConnectTimeout(7*time.Second))
		began := time.Now()
		err := s.Connect(t.Context())
		if took := time.Since(began); took != 7*time.Second || status.Code(err) != codes.DeadlineExceeded ||
			!strings.Contains(err.Error(), "no answer within the connect timeout of 7s") {
			t.Errorf("after %s: %v", took, err)
		}
		failed := make(chan error)
		go func() { failed <- s.Connect(context.Background()) }()
		synctest.Wait()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
	})
}
