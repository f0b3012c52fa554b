package million_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/proofs/internal/sdk"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

var (
	count = flag.Int("million.count", 10_000, "messages")
	cuts  = flag.Int("million.cuts", 100, "how often all connections break")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	room    = "room"
	senders = 2
	readers = 2
)

func TestAMillionMessagesSurviveReconnects(t *testing.T) { //nolint:paralleltest // it wants all of the machine
	began, all := time.Now(), int64(readers*(*count))
	book := ledger.NewBook()
	srv := imtest.NewServer(t, imtest.WithServerOptions(server.WithLog(sdk.MemoryLog(sdk.Keep{
		Messages: *count * 2, Bytes: 1 << 40,
	}))))
	var delivered atomic.Int64
	var sessions []*session.Session
	for id := 1; id <= senders+readers; id++ {
		reads := id > senders
		if reads {
			book.Reads(id, 0)
		}
		sessions = append(sessions, connect(t, srv, book, id, reads, &delivered))
	}
	var sending sync.WaitGroup
	for i, s := range sessions[:senders] {
		sending.Go(func() { send(t, s, book, i+1, *count/senders) })
	}
	cutAtRandom(srv, &delivered, all)
	sending.Wait()
	reached(&delivered, all, 10*time.Second)
	reconnects := uint64(0)
	for _, s := range sessions {
		reconnects += s.Stats().Reconnects
		_ = s.Close()
		<-s.Done()
	}
	audit := book.Audit()
	t.Logf("sent %d  receipts %d  delivered %d  lost %d  duplicated %d  reordered %d  gaps told %d  reconnects %d  in %s",
		audit.Sent, audit.Receipts, audit.Delivered, audit.Lost, audit.Duplicated, audit.Reordered, audit.Gaps,
		reconnects, time.Since(began).Round(time.Millisecond))
	if err := audit.Err(true); err != nil {
		t.Error(err)
	}
	if audit.Receipts != *count/senders*senders || reconnects < uint64(*cuts)/2 {
		t.Errorf("%d receipts, %d reconnects: too few", audit.Receipts, reconnects)
	}
}

func connect(t *testing.T, srv *imtest.Server, book *ledger.Book, id int, reads bool, delivered *atomic.Int64) *session.Session {
	t.Helper()
	receiving := sdk.Receiving{OnGap: func(_ string, gap ledger.Event) {
		gap.Reader = id
		book.Add(gap)
	}}
	s := srv.Dial("user "+strconv.Itoa(id), append(receiving.Options(), session.WithRoom(room), session.WithReconnect(session.Reconnect{
		Base: time.Millisecond, Max: 20 * time.Millisecond, Stable: time.Millisecond,
	}))...)
	_, err := imv1sdk.NewClient(s, imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
		if !reads {
			return nil
		}
		message, err := ledger.ParseText(m.Content.GetText())
		if err != nil {
			return err
		}
		book.Add(ledger.Event{
			Kind: ledger.Delivered, Reader: id, Message: message, Place: ledger.Place{Epoch: m.Epoch, Seq: m.Seq},
		})
		delivered.Add(1)
		return nil
	}})
	if err == nil {
		err = s.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send sends numbers and waits for the results.
func send(t *testing.T, s *session.Session, book *ledger.Book, id, numbers int) {
	t.Helper()
	var waiting sync.WaitGroup
	for number := 1; number <= numbers; number++ {
		m := ledger.Message{Sender: id, Number: number}
		book.Add(ledger.Event{Kind: ledger.Sent, Message: m})
		pending := sdk.SendText(t.Context(), s, room, m.Text(0))
		waiting.Go(func() {
			receipt, err := pending.Wait(t.Context())
			book.Add(sdk.Result(m, receipt, err))
		})
	}
	waiting.Wait()
}

// cutAtRandom breaks all connections at random points of what is delivered.
func cutAtRandom(srv *imtest.Server, delivered *atomic.Int64, all int64) {
	patience := 5 * time.Second
	for cut := range int64(*cuts) {
		at := all*cut/int64(*cuts) + rand.Int64N(all/int64(*cuts)+1)
		if !reached(delivered, at, patience) {
			patience = 50 * time.Millisecond // something is lost, and it will not come
		}
		srv.Cut()
	}
}

// reached waits until so many are delivered. False: nothing was delivered for a time.
func reached(delivered *atomic.Int64, at int64, patience time.Duration) bool {
	last, since := int64(-1), time.Now()
	for time.Since(since) < patience {
		now := delivered.Load()
		if now >= at {
			return true
		}
		if now != last {
			last, since = now, time.Now()
		}
		time.Sleep(200 * time.Microsecond)
	}
	return false
}
