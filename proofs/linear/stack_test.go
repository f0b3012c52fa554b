package linear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const sendsEach = 25

func TestTheWholeStackIsLinearizable(t *testing.T) {
	t.Parallel()
	for round := range *rounds {
		t.Run(strconv.Itoa(round), func(t *testing.T) { // its server ends with it
			t.Parallel()
			ops := converse(t, roomlog.NewMemory(roomlog.Retention{}))
			if result := verdict(ops); result != porcupine.Ok {
				t.Fatalf("%s: %s", result, describe(ops))
			}
		})
	}
}

func TestAPlantedFaultBelowTheStackIsRejected(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(e *planted){
		"a repeat is appended":  func(e *planted) { e.forgets = true },
		"a message is not kept": func(e *planted) { e.loses = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := &planted{Memory: roomlog.NewMemory(roomlog.Retention{})}
			plant(engine)
			ops := converse(t, engine)
			if result := verdict(ops); result != porcupine.Illegal {
				t.Errorf("%s, and %d faults: %s", result, engine.faults, describe(ops))
			}
		})
	}
}

// converse lets two users with two sessions each send under the same ids while the network breaks, and reads the log
// meanwhile.
func converse(t *testing.T, engine roomlog.Engine) []porcupine.Operation {
	t.Helper()
	srv := imtest.NewServer(t, imtest.WithServerOptions(server.WithLog(engine)))
	h := &history{start: time.Now()}
	var sending sync.WaitGroup
	var sessions []*session.Session
	for worker := range 4 {
		sessions = append(sessions, srv.Session(fmt.Sprint("user ", worker%2), session.WithRoom(room), session.WithReconnect(session.Reconnect{
			Base: time.Millisecond, Max: 5 * time.Millisecond,
		})))
	}
	for worker, s := range sessions {
		sending.Go(func() {
			for i := range sendsEach {
				h.send(t, s, worker, fmt.Sprint("id ", i))
				if rand.IntN(8) == 0 {
					srv.Cut()
				}
			}
		})
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			h.read(t, engine, 4)
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	sending.Wait()
	close(done)
	reading.Wait()
	return h.settle(t, engine)
}

// send sends a message under an id.
func (h *history) send(t *testing.T, s *session.Session, worker int, id string) {
	t.Helper()
	ctx, cancel := t.Context(), context.CancelFunc(func() {})
	if rand.IntN(10) == 0 { // an impatient one
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
	}
	defer cancel()
	in := &input{op: opSend, key: s.User() + " " + id}
	called := h.now()
	receipt, err := s.SendRaw(ctx, room, int32(imv1.MessageType_MESSAGE_TYPE_TEXT), []byte("hi"), runtime.WithMessageID(id))
	switch {
	case err == nil:
		h.add(worker, in, called, &output{place: roomlog.Place{
			Epoch: receipt.Epoch, Seq: receipt.Seq, Duplicate: receipt.Duplicate,
		}})
	case errors.Is(err, session.ErrMaybeDelivered):
		h.add(worker, in, called, nil)
	case !errors.Is(err, session.ErrNotDelivered): // which is also said of those behind a send that was given up
		t.Errorf("a send of worker %d fails: %v", worker, err)
	}
}

// read reads the whole log.
func (h *history) read(t *testing.T, engine roomlog.Engine, worker int) {
	t.Helper()
	called := h.now()
	records, head := contents(t, engine)
	in := &input{op: opRead, limit: 1 << 20}
	h.add(worker, in, called, &output{records: records, head: head})
}

// contents are the messages of the log that users sent. The notices of joins stand between them, so that neither the
// log's head nor the chain is that of the messages.
func contents(t *testing.T, engine roomlog.Engine) (records []record, head uint64) {
	t.Helper()
	now, err := engine.Head(t.Context(), room)
	if err != nil {
		t.Error(err)
	}
	page, err := engine.Read(t.Context(), room, roomlog.Cursor{Epoch: now.Epoch}, roomlog.Limit{})
	if err != nil {
		t.Error(err)
	}
	for _, r := range page.Records {
		message := &imv1.MessageResponse{}
		if err := proto.Unmarshal(r.Payload, message); err != nil {
			t.Error(err)
		}
		if message.GetType() == imv1.MessageType_MESSAGE_TYPE_TEXT {
			records = append(records, record{key: message.GetFromUserId() + " " + message.GetMessageId(), seq: r.Seq, prev: head})
			head = r.Seq
		}
	}
	return records, head
}

// settle gives sends without a result that of the log at the end: what is in there has happened, at any moment after the
// call; what is not never has.
func (h *history) settle(t *testing.T, engine roomlog.Engine) []porcupine.Operation {
	t.Helper()
	records, _ := contents(t, engine)
	var ops []porcupine.Operation
	for _, op := range h.ops {
		if op.Output == (*output)(nil) {
			in := op.Input.(*input) //nolint:forcetypeassert // its own
			i := slices.IndexFunc(records, func(r record) bool { return r.key == in.key })
			if i < 0 {
				continue
			}
			op.Return = h.now()
			op.Output = &output{place: roomlog.Place{Seq: records[i].seq, Duplicate: true}}
		}
		ops = append(ops, op)
	}
	return ops
}
