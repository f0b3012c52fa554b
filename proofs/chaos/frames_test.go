package chaos_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// faults are a server's own, each in one of so many frames; 0 is never. A network between them makes none of these.
type faults struct {
	Repeat int // messages and receipts that are sent twice
	Break  int // streams that end where a receipt was to be sent: appended, and not told
	Lose   int // messages that one of their streams does not get, though it goes on and gets the next one
}

// overtaken is how long a message that is to be lost waits for the next one of its room. It is lost when that has come:
// nobody can know of a lost message that none follows.
const overtaken = 200 * time.Millisecond

// place names a message.
type place struct {
	room       string
	epoch, seq uint64
}

// losses decides which messages a server loses.
type losses struct {
	faults faults
	server int // its number: no message is lost by two servers, which a session would have to tell as a gap

	mu   sync.Mutex
	lost map[place]bool // each once
}

// take tells whether a message is to be lost now.
func (l *losses) take(m *imv1.MessageResponse) bool {
	most := uint64(l.faults.Lose)
	if most == 0 || (m.GetEpoch()+m.GetSeq())%most != uint64(l.server)%most {
		return false
	}
	at := place{m.GetRoomId(), m.GetEpoch(), m.GetSeq()}
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.lost[at]
	l.lost[at] = true
	return !before
}

// options are the server's.
func (f faults) options(server int) grpc.ServerOption {
	lost := &losses{faults: f, server: server, lost: make(map[place]bool)}
	return grpc.ChainStreamInterceptor(func(
		srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		faulty := &faultyStream{ServerStream: stream, losses: lost, held: make(map[string]*imv1.MessageResponse)}
		defer faulty.ended.Store(true)
		return handler(srv, faulty)
	})
}

type faultyStream struct {
	grpc.ServerStream

	losses *losses

	ended atomic.Bool                      // the handler has returned; a send that blocks until then still has mu
	mu    sync.Mutex                       // held while sending
	held  map[string]*imv1.MessageResponse // by room, what is lost unless it remains the last one
}

// SendMsg sends a frame once, twice or not at all.
func (f *faultyStream) SendMsg(m any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	message, ok := m.(*imv1.MessageResponse)
	if !ok {
		return f.ServerStream.SendMsg(m)
	}
	isReceipt := message.GetType() == imv1.MessageType_MESSAGE_TYPE_RECEIPT
	inLog := message.GetSeq() > 0 && message.GetType() == imv1.MessageType_MESSAGE_TYPE_TEXT
	if isReceipt && oneIn(f.losses.faults.Break) {
		return grpcstatus.Error(codes.Unavailable, "chaos: the stream breaks before a receipt")
	}
	if message.GetSeq() > 0 {
		delete(f.held, message.GetRoomId())
	}
	if inLog && f.losses.take(message) {
		f.hold(message)
		return nil
	}
	if err := f.ServerStream.SendMsg(m); err != nil {
		return err
	}
	if (isReceipt || inLog) && oneIn(f.losses.faults.Repeat) {
		return f.ServerStream.SendMsg(m)
	}
	return nil
}

// hold sends a message later, unless another one of its room overtakes it.
func (f *faultyStream) hold(message *imv1.MessageResponse) {
	room, kept := message.GetRoomId(), proto.CloneOf(message)
	f.held[room] = kept
	time.AfterFunc(overtaken, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.ended.Load() && f.held[room] == kept {
			delete(f.held, room)
			_ = f.ServerStream.SendMsg(kept) // a broken stream is its handler's to see
		}
	})
}

func oneIn(n int) bool { return n > 0 && rand.IntN(n) == 0 }
