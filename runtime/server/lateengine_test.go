package server_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// lateLog is an engine over a network: it leaves messages out of its subscriptions, and reads from replicas that lag.
type lateLog struct {
	*roomlog.Memory

	mu      sync.Mutex
	leaving bool                            // messages out
	page    func(roomlog.Page) roomlog.Page // what becomes of a page; nil: nothing
}

func (l *lateLog) set(leaving bool, page func(roomlog.Page) roomlog.Page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving, l.page = leaving, page
}

func (l *lateLog) leave(out bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving = out
}

func (l *lateLog) Subscribe(ctx context.Context, room string, to func(roomlog.Record)) (func(), error) {
	return l.Memory.Subscribe(ctx, room, func(r roomlog.Record) {
		l.mu.Lock()
		leaving := l.leaving
		l.mu.Unlock()
		if !leaving {
			to(r)
		}
	})
}

func (l *lateLog) Read(ctx context.Context, room string, at roomlog.Cursor, limit roomlog.Limit) (roomlog.Page, error) {
	page, err := l.Memory.Read(ctx, room, at, limit)
	l.mu.Lock()
	change := l.page
	l.mu.Unlock()
	if change != nil {
		page = change(page)
	}
	return page, err
}

// said appends a text as another server would.
func (l *lateLog) said(t *testing.T, words string) roomlog.Place {
	t.Helper()
	payload := marshal(t, &imv1.MessageResponse{MessageId: words, FromUserId: "far", RoomId: "r", Type: text, Content: []byte(words)})
	place, err := l.Append(t.Context(), "r", roomlog.Message{Key: words, Payload: []byte(payload)})
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func TestAReaderIsWokenThoughTheEngineLeavesOutWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]func(release chan struct{}) func(roomlog.Page) roomlog.Page{
		"while it reads": func(release chan struct{}) func(roomlog.Page) roomlog.Page {
			return func(page roomlog.Page) roomlog.Page { <-release; return page }
		},
		"and the replica lags": func(chan struct{}) func(roomlog.Page) roomlog.Page {
			return func(page roomlog.Page) roomlog.Page { page.Records = nil; return page }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &lateLog{Memory: roomlog.NewMemory(roomlog.Retention{})}
				s := start(t, server.WithLog(log))
				s.resuming("reader", "r", 7, 1) // so that nobody joins below
				synctest.Wait()
				log.set(true, nil)
				three := log.said(t, "three")
				release := make(chan struct{})
				log.set(true, page(release))
				reader, welcome := s.resuming("reader", "", 1, 1, cursor("r", three.Epoch, three.Seq))
				if head := welcome.GetRooms()[0].GetHead(); head != three.Seq {
					t.Errorf("the head is %d, behind the cursor %d: the client would think that the log was cut", head, three.Seq)
				}
				synctest.Wait()
				log.said(t, "four")
				log.set(false, page(release))
				log.said(t, "five")
				synctest.Wait()
				log.set(false, nil)
				close(release)
				time.Sleep(time.Second) // and nobody says anything
				reader.wantTexts(three.Seq, "four", "five")
			})
		})
	}
}

func TestARepeatOfWhatIsInTheLogIsNoDataLossWhereTheServerHasNotHeardOfTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &lateLog{Memory: roomlog.NewMemory(roomlog.Retention{})}
		there, here := start(t, server.WithLog(log.Memory)), start(t, server.WithLog(log))
		here.resuming("keeps the room open", "r", 5, 1)
		synctest.Wait()
		log.set(true, nil)
		log.Forget("r")
		first := there.knowing("anna", "r", 1, 1)
		first.number("r", "one", 1, 0, 0)
		one := first.wantReceipt()
		second := here.knowing("anna", "r", 1, 2)
		second.number("r", "one", 1, 0, one.GetEpoch())
		if got := second.wantReceipt(); !got.GetDuplicate() || got.GetSeq() != one.GetSeq() {
			t.Errorf("got %v", got)
		}
	})
}

func TestARefusalIsNeverTooLargeToBeReceived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		anna := start(t).knowing("anna", "r", 1, 1)
		bad := &imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text}
		for range 4096 {
			bad.Messages = append(bad.Messages, &imv1.MessageRequest{MessageId: strings.Repeat("x", 129)})
		}
		for range 20 {
			anna.send(bad)
		}
		synctest.Wait()
		for told := 0; told < 20; {
			content := anna.want(receipts).GetContent()
			if len(content) > 64<<10 {
				t.Fatalf("a RECEIPT of %d bytes", len(content))
			}
			all := decode(t, content, &imsdkv1.Receipts{}).GetReceipts()
			if len(all[0].GetRefusal().GetViolations()) == 0 {
				t.Fatalf("got %v", all[0])
			}
			told += len(all)
		}
	})
}

func TestOthersACKsEndNoStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithQueue(4096, 64<<10))
		anna, ben := s.knowing("anna", "r", 1, 1), s.today("ben", "r")
		anna.want(joinRoom)
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: text, Content: []byte("hi"), AckRequired: true})
		ben.wantText("hi")
		long := `{"original_message_id":"m","success":true,"error_message":"` + strings.Repeat("x", 30<<10) + `"}`
		for range 100 { // anna does not read meanwhile
			ben.acknowledge("r", long)
		}
		ben.silent()
		anna.say("r", "n", "I am here")
		wantTaken(t, anna.wantReceiptAfterOthers())
		anna.say("r", "o", "still")
		ben.wantText("I am here")
		ben.wantText("still")
	})
}
