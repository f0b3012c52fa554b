package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAStreamStartsWithTheCursorsOfItsRooms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"), session.WithWindow(5000))
		if _, err := s.JoinRoom(t.Context(), "b", session.WithNickname("Ann")); err != nil {
			t.Fatal(err)
		}
		first := k.peer(t, 1)
		equal(t, "the first Hello", resumed(first), "r 0/0")
		if first.hello.GetWindowBytes() != 5000 || first.hello.GetMoreRooms() {
			t.Errorf("Hello: %v", first.hello)
		}
		want := session.Capabilities{
			Handshake: true, Receipts: true, StreamRooms: true, Resume: true, FlowControl: true, GoAway: true, Agent: "script",
		}
		if got := s.Capabilities(); got != want {
			t.Errorf("capabilities: %+v", got)
		}
		first.pushAll(t, logged("r", 10, 12), logged("r", 12, 15))
		second := k.again(t, 1)
		equal(t, "the second Hello", resumed(second), "r 7/15", "b 7/10")
		if got := second.hello.GetRooms()[1].GetMetadata(); got["nickname"] != "Ann" {
			t.Errorf("metadata: %v", got)
		}
		equal(t, "what was handled", d.take(), "12", "15")
		if joins := second.all(joinType); len(joins) != 0 {
			t.Errorf("rooms that Welcome names are joined again: %v", joins)
		}
	})
}

func TestRoomsThatDoNotFitIntoHelloAreJoinedWithTheirCursors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("z"))
		want := []string{"z 7/11"}
		k.peer(t, 1).pushAll(t, logged("z", 10, 11))
		for i := range 40 {
			room := fmt.Sprintf("%02d-%s", i, strings.Repeat("x", 100))
			if _, err := s.JoinRoom(t.Context(), room); err != nil {
				t.Fatal(err)
			}
			k.peer(t, 1).pushAll(t, row(room, 11, uint64(11+i))...)
			want = append(want, fmt.Sprintf("%s 7/%d", room, 11+i))
		}
		second := k.again(t, 1)
		got := resumed(second)
		size := proto.Size(&imsdkv1.Hello{Rooms: second.hello.GetRooms()})
		if size > 2048 || size < 1900 || !second.hello.GetMoreRooms() || got[0] != "z 7/11" {
			t.Errorf("Hello has %d bytes of rooms, more: %t, first %q", size, second.hello.GetMoreRooms(), got[0])
		}
		joins := second.all(joinType)
		for _, m := range joins {
			join := new(imsdkv1.Join)
			if err := proto.Unmarshal(m.GetContent(), join); err != nil || join.GetCursor().GetRoomId() != m.GetRoomId() {
				t.Errorf("JOIN %v, %v", join, err)
			}
			got = append(got, position(join.GetCursor()))
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, "all rooms", got, want...)
		time.Sleep(time.Second)
		equal(t, "cursors that the server knows are not told", told(t, second))
		second.pushAll(t, logged(joins[0].GetRoomId(), joinedAt(t, joins[0]), 99))
		time.Sleep(time.Second)
		equal(t, "one that moved since is", told(t, second), joins[0].GetRoomId()+" 7/99")
	})
}

// joinedAt is the cursor of a JOIN.
func joinedAt(t *testing.T, m *imv1.MessageRequest) uint64 {
	t.Helper()
	join := new(imsdkv1.Join)
	if err := proto.Unmarshal(m.GetContent(), join); err != nil {
		t.Fatal(err)
	}
	return join.GetCursor().GetSeq()
}

func TestWhatWaitsInALaneIsHandledOnceThoughItComesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		release := make(chan struct{})
		s, _ := chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }), session.WithRoom("r"))
		k.peer(t, 1).pushAll(t, row("r", 11, 14)...)
		second := k.again(t, 1)
		equal(t, "the cursor is what was handled", resumed(second), "r 7/10")
		if received := second.hello.GetRooms()[0].GetCursor().GetReceivedSeq(); received != 14 {
			t.Errorf("received up to %d", received)
		}
		second.pushAll(t, row("r", 11, 15)...)
		close(release)
		expect(t, "handled", d.take, "11", "12", "13", "14", "15")
		if stats := s.Stats(); stats.Repeats != 4 || stats.Received != 5 || stats.Gaps != 0 {
			t.Errorf("stats: %+v", stats)
		}
		third := k.again(t, 2)
		equal(t, "the next Hello", resumed(third), "r 7/15")
		if received := third.hello.GetRooms()[0].GetCursor().GetReceivedSeq(); received != 0 {
			t.Errorf("received up to %d, where everything was handled", received)
		}
	})
}

func TestARepeatThatAsksForAnACKGetsItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		failed := make(map[string]bool)
		s, _ := chat(t, start(t, &k.script), texts(d, func(m *imv1sdk.TextMessage) error {
			if m.ID != "m11" && !failed[m.ID] {
				failed[m.ID] = true
				return errors.New("not yet")
			}
			return nil
		}), session.WithRoom("r"))
		messages := row("r", 11, 13)
		messages[0].AckRequired, messages[1].AckRequired = true, true
		p := k.peer(t, 1)
		p.pushAll(t, messages...)
		equal(t, "at first", d.take(), "11", "12", "13")
		equal(t, "acknowledged", acked(t, p), "r m11")
		p.pushAll(t, messages...)
		equal(t, "only what failed and asks for an ACK runs again", d.take(), "12")
		equal(t, "acknowledged", acked(t, p), "r m11", "r m11", "r m12")
		p.pushAll(t, messages...)
		equal(t, "it has worked now", d.take())
		if got := len(acked(t, p)); got != 5 || s.Stats().Repeats != 5 || k.streams() != 1 {
			t.Errorf("%d ACKs, %+v", got, s.Stats())
		}
	})
}

func TestTheHeaderSaysWhatTheFirstMessageMeans(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			k := newKeeper()
			k.greeted = func(p *peer) {
				for _, m := range row("r", 11, 13) {
					_ = p.push(m)
				}
			}
			d := new(diary)
			chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"))
			expect(t, "handled", d.take, "11", "12", "13")
			time.Sleep(time.Second)
			equal(t, "cursors", told(t, k.peer(t, 1)), "r 7/13")
		})
	}
}

func TestARoomThatWasLeftStartsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		head := uint64(10)
		k.heads = func(*peer, string) (uint64, uint64) { return 7, head }
		d := new(diary)
		release := make(chan struct{})
		store := new(shelf)
		s, _ := chat(t, start(t, &k.script), texts(d, func(*imv1sdk.TextMessage) error { <-release; return nil }),
			session.WithRoom("r"), session.WithCursorStore(store))
		p := k.peer(t, 1)
		p.pushAll(t, logged("r", 10, 11))
		if _, err := s.LeaveRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		head = 20
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		if join := p.all(joinType)[0]; len(join.GetContent()) != 0 {
			t.Errorf("JOIN has a cursor: %v", join)
		}
		close(release) // the handler of before returns
		synctest.Wait()
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, p))
		equal(t, "saved", store.take(), "save r 7/20")
		p.pushAll(t, logged("r", 20, 21))
		equal(t, "handled", d.take(), "11", "21")
		equal(t, "the second Hello", resumed(k.again(t, 1)), "r 7/21")
	})
}

func TestASecondJoinMovesNoReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		head := uint64(10)
		k.heads = func(*peer, string) (uint64, uint64) { return 7, head }
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"))
		p := k.peer(t, 1)
		for i, at := range []uint64{20, 5} { // ahead of the reader, and behind it
			head = at
			if _, err := s.JoinRoom(t.Context(), "r", session.WithNickname("Ann")); err != nil {
				t.Fatal(err)
			}
			p.pushAll(t, logged("r", 10+uint64(i), 11+uint64(i)))
		}
		time.Sleep(time.Second)
		equal(t, "handled", d.take(), "11", "12")
		equal(t, "cursors", told(t, p), "r 7/12")
		if k.streams() != 1 || s.Stats().Gaps != 0 {
			t.Errorf("%d streams, %+v", k.streams(), s.Stats())
		}
	})
}

func TestAMessageOfARoomThatTheSessionDoesNotKnowStartsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		chat(t, start(t, &k.script), texts(d, nil))
		p := k.peer(t, 1)
		p.pushAll(t, logged("other", 40, 41), logged("other", 41, 42))
		equal(t, "handled", d.take(), "other 41", "other 42")
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, p), "other 7/42")
		equal(t, "the second Hello", resumed(k.again(t, 1)))
		k.peer(t, 2).pushAll(t, logged("other", 90, 91))
		equal(t, "on the next stream", d.take(), "other 91")
		if k.streams() != 2 {
			t.Errorf("%d streams", k.streams())
		}
	})
}

func TestADefaultRoomThatIsJoinedWithANicknameIsPartOfHello(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		d := new(diary)
		chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r", session.WithNickname("Ann")))
		p := k.peer(t, 1)
		equal(t, "Hello", resumed(p), "r 0/0")
		if rooms := p.md.Get("room-id"); len(rooms) != 0 || p.hello.GetRooms()[0].GetMetadata()["nickname"] != "Ann" {
			t.Errorf("room-id %q, Hello %v", rooms, p.hello)
		}
		synctest.Wait()
		if joins := p.all(joinType); len(joins) != 0 {
			t.Errorf("it is joined again: %v", joins)
		}
		p.pushAll(t, logged("r", 10, 11))
		equal(t, "the second Hello", resumed(k.again(t, 1)), "r 7/11")
	})
}

func TestARoomThatWelcomeDoesNotNameIsJoinedWithItsCursor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = func(p *peer, w *imsdkv1.Welcome) {
			if p.number == 2 {
				w.Rooms = nil
			}
		}
		var refused atomic.Bool
		k.on = func(p *peer, m *imv1.MessageRequest) (bool, error) {
			if !refused.Load() || m.GetType() != joinType || m.GetRoomId() != "b" {
				return false, nil
			}
			return true, p.push(&imv1.MessageResponse{
				MessageId: m.GetMessageId(), RoomId: "b", Type: imv1.MessageType_MESSAGE_TYPE_JOINED,
				Content: encode(&imv1.JoinRoomResponse{Status: &imv1.ResponseStatus{Code: int32(codes.PermissionDenied)}}),
			})
		}
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"))
		if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		k.peer(t, 1).pushAll(t, logged("r", 10, 11), logged("b", 10, 11))
		refused.Store(true)
		p := k.again(t, 1)
		for _, m := range p.all(joinType) {
			if at := joinedAt(t, m); at != 11 {
				t.Errorf("%s is joined at %d", m.GetRoomId(), at)
			}
		}
		if joins := len(p.all(joinType)); joins != 2 || !slices.Equal(s.Rooms(), []string{"r"}) {
			t.Errorf("%d joins, rooms %q", joins, s.Rooms())
		}
		refused.Store(false)
		if _, err := s.JoinRoom(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		joins := p.all(joinType)
		if last := joins[len(joins)-1]; len(last.GetContent()) != 0 {
			t.Errorf("a room that refused the session is joined again at its cursor: %v", last)
		}
	})
}

func TestALateWelcomeSwitchesResumeOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		k.welcomed = func(*peer, *imsdkv1.Welcome) { time.Sleep(3 * time.Second) }
		d := new(diary)
		s, _ := chat(t, start(t, &k.script), texts(d, nil), session.WithRoom("r"))
		if s.Capabilities().Resume {
			t.Error("before Welcome")
		}
		time.Sleep(3 * time.Second)
		p := k.peer(t, 1)
		p.pushAll(t, logged("r", 10, 11))
		time.Sleep(time.Second)
		equal(t, "cursors", told(t, p), "r 7/11")
		equal(t, "handled", d.take(), "11")
		if !s.Capabilities().Resume {
			t.Error("after Welcome")
		}
	})
}
