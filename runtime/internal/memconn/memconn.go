// Package memconn is a network in memory for tests: gRPC's bufconn, made safe for testing/synctest under the race
// detector.
//
// bufconn starts timers of no length for each connection. In a bubble of testing/synctest such a timer runs at once, in the
// goroutine that starts it, and all timers of a bubble share one context of the race detector (Go 1.26,
// bubble.timers.raceCtx). Two goroutines of a bubble that connect at the same moment use it both and crash the
// race detector. Here one connection is made at a time.
package memconn

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc/test/bufconn"
)

// making is held while a connection is made, which waits for nothing but goroutines that run.
var making sync.Mutex //nolint:gochecknoglobals // a bubble may have several listeners

// Listener accepts connections of the same process. Safe for concurrent use.
type Listener struct {
	bytes    int
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

// Listen makes a listener whose connections hold so many bytes each way before a write waits.
func Listen(bytes int) *Listener {
	return &Listener{bytes: bytes, incoming: make(chan net.Conn), closed: make(chan struct{})}
}

// DialContext connects. It waits until the connection is accepted, ctx is done or the listener is closed.
func (l *Listener) DialContext(ctx context.Context) (net.Conn, error) {
	client, server, err := pair(l.bytes)
	if err != nil {
		return nil, err
	}
	select {
	case l.incoming <- server:
		return client, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-l.closed:
		err = net.ErrClosed
	}
	return nil, errors.Join(err, client.Close(), server.Close())
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	case conn := <-l.incoming:
		return conn, nil
	}
}

// Close ends Accept and DialContext, now and later. Connections live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is no address that anything else can reach.
func (*Listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }

// pair makes both ends of a connection.
func pair(bytes int) (client, server net.Conn, err error) {
	making.Lock()
	defer making.Unlock()
	listener := bufconn.Listen(bytes)
	defer func() { err = errors.Join(err, listener.Close()) }()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := listener.Accept() // fails only after Close
		accepted <- conn
	}()
	if client, err = listener.Dial(); err != nil {
		return nil, nil, err
	}
	return client, <-accepted, nil
}
