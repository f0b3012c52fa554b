package session

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// maxHeaderless is how many tries in a row may miss an expected header before the session believes that there is none.
const maxHeaderless = 2

// peerMemory is what the session knows of the servers that it meets, and so what their silence means. A server of today may never
// send a header. But where a session has met the handshake it expects it again: on a slow network the header is late, and
// to take the server for one of today would give up receipts and resume, and send joins that it refuses.
type peerMemory struct {
	mu         sync.Mutex // held for assignments only
	handshake  bool       // the last server that a stream was ready with knew it
	silent     bool       // the last one answered heartbeats, and then no more
	headerless int        // tries in a row without a header that was expected
}

// expectsHeader tells whether a try waits for the header as long as it can.
func (p *peerMemory) expectsHeader() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handshake || p.silent
}

// is notes what the server of a stream that became ready knows.
func (p *peerMemory) is(handshake bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handshake, p.silent, p.headerless = handshake, false, 0
}

func (p *peerMemory) fellSilent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
}

// missedHeader counts a try. It tells whether there were too many.
func (p *peerMemory) missedHeader() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.headerless++
	return p.headerless >= maxHeaderless
}

// slowToStart tells whether a refused join says nothing about the room: a server with the handshake refuses a unary join as
// long as it has not started the user's stream.
func (p *peerMemory) slowToStart(st *stream, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handshake && !st.capabilities().Handshake && status.Code(err) == codes.FailedPrecondition
}

// withoutHeader draws the conclusion from a try that failed because an expected header did not come: the connection may be
// dead, and gRPC would open the next stream on it. After some such tries a server that answers other calls is one of today.
func (s *Session) withoutHeader(ctx context.Context, st *stream, err error) {
	select {
	case <-st.header: // it came, whatever it said: something else took too long
		return
	default:
	}
	if !s.peer.expectsHeader() || !errors.Is(err, context.DeadlineExceeded) {
		return
	}
	s.cutTransport(st) //nolint:contextcheck // it asks the stream's own context for the peer
	if !s.peer.missedHeader() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.timing.connect)
	defer cancel()
	defer s.onClose(cancel)()
	// The connection that was cut is being made anew.
	_, err = s.client.HealthCheck(s.identify(ctx), new(imv1.HealthCheckRequest), grpc.WaitForReady(true))
	if code := status.Code(err); code == codes.OK || code == codes.Unimplemented {
		s.config.log.Warn("the server answers, and sends no header: it is taken for one without the handshake from now on")
		s.peer.is(false)
	}
}
