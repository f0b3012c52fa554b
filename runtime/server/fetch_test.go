package server_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// countingLog counts what is asked of an engine over a network: each call takes a while.
type countingLog struct {
	*roomlog.Memory

	lag                             time.Duration
	reads, bytes, subscribes, heads atomic.Int64
	leaveOut                        func(roomlog.Record) bool // of subscriptions; nil: nothing
}

func newCountingLog(lag time.Duration) *countingLog {
	return &countingLog{Memory: roomlog.NewMemory(roomlog.Retention{Bytes: 1 << 30, TotalBytes: 1 << 30}), lag: lag}
}

func (l *countingLog) Read(ctx context.Context, room string, at roomlog.Cursor, limit roomlog.Limit) (roomlog.Page, error) {
	l.reads.Add(1)
	time.Sleep(l.lag)
	page, err := l.Memory.Read(ctx, room, at, limit)
	for _, record := range page.Records {
		l.bytes.Add(int64(len(record.Payload)))
	}
	return page, err
}

func (l *countingLog) Subscribe(ctx context.Context, room string, to func(roomlog.Record)) (func(), error) {
	l.subscribes.Add(1)
	time.Sleep(l.lag)
	return l.Memory.Subscribe(ctx, room, func(r roomlog.Record) {
		if l.leaveOut == nil || !l.leaveOut(r) {
			to(r)
		}
	})
}

func (l *countingLog) Head(ctx context.Context, room string) (roomlog.Cursor, error) {
	l.heads.Add(1)
	time.Sleep(l.lag)
	return l.Memory.Head(ctx, room)
}

// said appends a text as another server would.
func (l *countingLog) said(t *testing.T, room, id, words string) roomlog.Place {
	t.Helper()
	payload := marshal(t, &imv1.MessageResponse{MessageId: id, FromUserId: "far", RoomId: room, Type: text, Content: []byte(words)})
	place, err := l.Append(t.Context(), room, roomlog.Message{Key: id, Payload: []byte(payload)})
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// catcher is a client that handles at once what it gets, in all its rooms.
type catcher struct {
	*peer

	at      map[string]roomlog.Cursor
	handles func(room string) bool // nil: every room
}

// until receives until it has had a message of each room with these words. What comes has to link.
func (c *catcher) until(words string, rooms int) {
	c.t.Helper()
	for rooms > 0 {
		message, err := c.rpc.Recv()
		if err != nil {
			c.t.Errorf("%d rooms of %s are not done: %v", rooms, c.user, err)
			return
		}
		if message.GetSeq() == 0 || message.GetType() == joined {
			continue
		}
		room := message.GetRoomId()
		if at := c.at[room]; message.GetPrevSeq() != at.Seq {
			c.t.Errorf("%s: %d links to %d, want %d", room, message.GetSeq(), message.GetPrevSeq(), at.Seq)
			return
		}
		c.at[room] = roomlog.Cursor{Epoch: message.GetEpoch(), Seq: message.GetSeq()}
		if string(message.GetContent()) == words {
			rooms--
		}
		if c.handles != nil && !c.handles(room) {
			continue
		}
		if err := c.rpc.Send(&imv1.MessageRequest{
			Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: []byte(marshal(c.t, &imsdkv1.Cursors{
				Cursors: []*imsdkv1.Cursor{cursor(room, message.GetEpoch(), message.GetSeq())},
			})),
		}); err != nil {
			c.t.Error(err)
			return
		}
	}
}

func TestAStreamThatDoesNotReadHoldsAFewPagesHoweverManyRoomsItIsIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rooms, page = 100, 256 << 10
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log))
		from, at := log.backlog(t, rooms, 12, 30<<10)
		reader, _ := s.resuming("reader", "", 1, 1, from...)
		time.Sleep(time.Second)
		if held := log.bytes.Load(); held > 8*page || held < 3*page {
			t.Errorf("%d bytes were read for a stream that does not read, that is %d pages", held, held/page)
		}
		(&catcher{peer: reader, at: at}).until("last", rooms)
	})
}

func TestAReaderWhoseWindowIsShutReadsNothingOfTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newCountingLog(0)
		s := start(t, server.WithLog(log), server.WithWindow(10_000))
		first := log.said(t, "r", "first", "first")
		for i := range 30 {
			log.said(t, "r", strconv.Itoa(i), strings.Repeat("x", 4000))
		}
		reader, _ := s.resuming("reader", "", 1, 1, cursor("r", first.Epoch, first.Seq))
		last := reader.want(text)
		for seq := last.GetSeq(); seq < first.Seq+20; { // the last one stays in flight all the time
			last = reader.want(text)
			synctest.Wait()
			before := log.reads.Load()
			log.said(t, "r", "more"+strconv.Itoa(int(seq)), "more")
			reader.silent()
			if reads := log.reads.Load() - before; reads != 0 {
				t.Errorf("the log was read %d times for a window that is shut", reads)
			}
			reader.handled(cursor("r", last.GetEpoch(), seq))
			seq = last.GetSeq()
		}
		if bytes := log.bytes.Load(); bytes > 30*4100*2 {
			t.Errorf("%d bytes were read", bytes)
		}
	})
}

func TestEveryRoomGetsAPageInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rooms, streams, messages = 40, 4, 60
		log := newCountingLog(2 * time.Millisecond)
		log.leaveOut = func(r roomlog.Record) bool { return r.Seq%5 == 0 && !strings.Contains(string(r.Payload), "last") }
		s := start(t, server.WithLog(log), server.WithWindow(3000))
		at := make(map[string]roomlog.Cursor)
		var from []*imsdkv1.Cursor
		for i := range rooms {
			room := "room-" + strconv.Itoa(i)
			first := log.said(t, room, "first", "first")
			for j := range messages / 2 { // half of it is behind the readers, and beyond the room's tail
				log.said(t, room, strconv.Itoa(j), strings.Repeat("x", 100+(i+j)*977%2500))
			}
			from = append(from, cursor(room, first.Epoch, first.Seq))
			at[room] = roomlog.Cursor{Epoch: first.Epoch, Seq: first.Seq}
		}
		var wait sync.WaitGroup
		for i := range streams {
			p, _ := s.resuming("reader", "", uint64(i+1), 1, from...)
			wait.Go(func() { (&catcher{peer: p, at: maps.Clone(at)}).until("last", rooms) })
		}
		for j := range messages / 2 {
			for i := range rooms {
				log.said(t, "room-"+strconv.Itoa(i), "live "+strconv.Itoa(j), strings.Repeat("x", 100+(i+j)*977%2500))
			}
			time.Sleep(time.Millisecond)
		}
		for i := range rooms {
			log.said(t, "room-"+strconv.Itoa(i), "last", "last")
		}
		wait.Wait()
	})
}

// backlog says as much in some rooms as takes several pages each, and gives the cursors before it.
func (l *countingLog) backlog(t *testing.T, rooms, messages, size int) (from []*imsdkv1.Cursor, at map[string]roomlog.Cursor) {
	t.Helper()
	at = make(map[string]roomlog.Cursor)
	for i := range rooms {
		room := "room-" + strconv.Itoa(i)
		first := l.said(t, room, "first", "first")
		for j := range messages {
			l.said(t, room, strconv.Itoa(j), strings.Repeat("x", size))
		}
		l.said(t, room, "last", "last")
		from = append(from, cursor(room, first.Epoch, first.Seq))
		at[room] = roomlog.Cursor{Epoch: first.Epoch, Seq: first.Seq}
	}
	return from, at
}

func TestRoomsWhoseWindowsAreShutKeepNoPageFromOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log), server.WithWindow(3000))
		from, at := log.backlog(t, 10, 300, 100)
		reader, _ := s.resuming("reader", "", 1, 1, from...)
		all := &catcher{peer: reader, at: at, handles: func(room string) bool { return room == "room-9" }}
		all.until("last", 1) // which can be room-9's only
	})
}

func TestARoomThatIsLeftGivesItsPageBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rooms = 6
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log))
		from, at := log.backlog(t, rooms, 60, 5000)
		reader, _ := s.resuming("reader", "", 1, 1)
		for range 20 {
			for _, cursor := range from[1:] {
				reader.send(&imv1.MessageRequest{
					RoomId: cursor.GetRoomId(), Type: join, Content: []byte(marshal(t, &imsdkv1.Join{Cursor: cursor})),
				})
			}
			time.Sleep(time.Second) // pages are read, and the stream stands still in the middle of one
			for _, cursor := range from[1:] {
				reader.send(&imv1.MessageRequest{RoomId: cursor.GetRoomId(), Type: leave})
			}
			for range from[1:] {
				reader.wantAfterOthers(left)
			}
		}
		reader.send(&imv1.MessageRequest{
			RoomId: "room-0", Type: join, Content: []byte(marshal(t, &imsdkv1.Join{Cursor: from[0]})),
		})
		(&catcher{peer: reader, at: at}).until("last", 1)
	})
}

func TestAClientThatClosesItsSideGetsThePagesThatItsRoomsWaitFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log))
		from, at := log.backlog(t, 20, 20, 4000)
		reader, _ := s.resuming("reader", "", 1, 1, from...)
		if err := reader.rpc.CloseSend(); err != nil {
			t.Fatal(err)
		}
		(&catcher{peer: reader, at: at, handles: func(string) bool { return false }}).until("last", 20)
	})
}

func TestAClientThatClosesItsSideGetsWhatItsWindowsTakeAndTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log), server.WithWindow(3000))
		from, _ := log.backlog(t, 10, 10, 2000)
		reader, _ := s.resuming("reader", "", 1, 1, from...)
		if err := reader.rpc.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := reader.ended(); !errors.Is(err, io.EOF) {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestReadersAtOnePlaceReadTheLogTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const readers = 50
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log))
		log.leaveOut = func(r roomlog.Record) bool { return strings.Contains(string(r.Payload), "left out") }
		first := log.said(t, "r", "first", "first")
		all := make([]*catcher, readers)
		for i := range all {
			p, _ := s.resuming("reader", "", uint64(i+1), 1, cursor("r", first.Epoch, first.Seq))
			all[i] = &catcher{peer: p, at: map[string]roomlog.Cursor{"r": {Epoch: first.Epoch, Seq: first.Seq}}}
			synctest.Wait()
		}
		before := log.reads.Load()
		log.said(t, "r", "left out", "left out")
		log.said(t, "r", "last", "last")
		var wait sync.WaitGroup
		for _, c := range all {
			wait.Go(func() { c.until("last", 1) })
		}
		wait.Wait()
		if reads := log.reads.Load() - before; reads != 1 {
			t.Errorf("%d readers read the log %d times", readers, reads)
		}
	})
}

func TestARoomIsOpenedOnceHoweverManyJoinItAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const joins = 50
		log := newCountingLog(time.Millisecond)
		s := start(t, server.WithLog(log))
		var wait sync.WaitGroup
		for i := range joins {
			wait.Go(func() { s.knowing("user-"+strconv.Itoa(i), "r", uint64(i+1), 1) })
		}
		wait.Wait()
		if log.subscribes.Load() != 1 || log.heads.Load() != 1 || len(s.users("r")) != joins {
			t.Errorf("%d users, %d subscriptions, %d heads", len(s.users("r")), log.subscribes.Load(), log.heads.Load())
		}
	})
}
