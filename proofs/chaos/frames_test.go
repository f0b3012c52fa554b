package chaos_test

import (
	"math/rand/v2"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// faults are a server's own, each in one of so many frames; 0 is never. A network between them makes none of these.
type faults struct {
	Repeat int // messages and receipts that are sent twice
	Break  int // streams that end where a receipt was to be sent: appended, and not told
	Lose   int // messages that are left out on a stream that goes on, each message once: twice is a gap that a session tells
}

// place names a message.
type place struct {
	room       string
	epoch, seq uint64
}

// lostOnce remembers which messages were left out.
type lostOnce struct {
	mu   sync.Mutex
	seen map[place]bool
}

// first tells whether a message was not left out before.
func (l *lostOnce) first(m *imv1.MessageResponse) bool {
	at := place{m.GetRoomId(), m.GetEpoch(), m.GetSeq()}
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.seen[at]
	l.seen[at] = true
	return !before
}

// options are the server's.
func (f faults) options() grpc.ServerOption {
	lost := &lostOnce{seen: make(map[place]bool)}
	return grpc.ChainStreamInterceptor(func(
		srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		return handler(srv, &faultyStream{ServerStream: stream, faults: f, lost: lost})
	})
}

type faultyStream struct {
	grpc.ServerStream

	faults faults
	lost   *lostOnce
}

// SendMsg sends a frame once, twice or not at all.
func (f *faultyStream) SendMsg(m any) error {
	message, ok := m.(*imv1.MessageResponse)
	if !ok {
		return f.ServerStream.SendMsg(m)
	}
	isReceipt := message.GetType() == imv1.MessageType_MESSAGE_TYPE_RECEIPT
	inLog := message.GetSeq() > 0 && message.GetType() == imv1.MessageType_MESSAGE_TYPE_TEXT
	if isReceipt && oneIn(f.faults.Break) {
		return grpcstatus.Error(codes.Unavailable, "chaos: the stream breaks before a receipt")
	}
	if inLog && oneIn(f.faults.Lose) && f.lost.first(message) {
		return nil
	}
	if err := f.ServerStream.SendMsg(m); err != nil {
		return err
	}
	if (isReceipt || inLog) && oneIn(f.faults.Repeat) {
		return f.ServerStream.SendMsg(m)
	}
	return nil
}

func oneIn(n int) bool { return n > 0 && rand.IntN(n) == 0 }
