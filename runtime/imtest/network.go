package imtest

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
)

// bufferBytes is what a connection holds in one direction before a writer waits.
const bufferBytes = 256 << 10

var errStopped = errors.New("imtest: the server is stopped: connection refused")

// network is where clients find the listener of the moment.
type network struct {
	mu       sync.Mutex
	listener *memconn.Listener // nil while nobody listens
	conns    map[*conn]struct{}
}

// listen lets clients connect until the listener is closed.
func (n *network) listen() *memconn.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listener = memconn.Listen(bufferBytes)
	return n.listener
}

// refuse lets no client connect until listen.
func (n *network) refuse() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listener = nil
}

func (n *network) dial(ctx context.Context) (net.Conn, error) {
	n.mu.Lock()
	listener := n.listener
	n.mu.Unlock()
	if listener == nil {
		return nil, errStopped
	}
	raw, err := listener.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, network: n, closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns == nil {
		n.conns = make(map[*conn]struct{})
	}
	n.conns[c] = struct{}{}
	return c, nil
}

// cut closes every connection, as a cable does that is pulled out and back in.
func (n *network) cut() {
	n.mu.Lock()
	conns := n.conns
	n.conns = nil
	n.mu.Unlock()
	for c := range conns {
		_ = c.Close()
	}
}

// freeze makes every connection silent for good, without telling anybody.
func (n *network) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		c.frozen.Store(true)
	}
}

// conn is a client's end of a connection.
type conn struct {
	net.Conn

	network *network
	frozen  atomic.Bool
	close   sync.Once
	closed  chan struct{}
}

// Read gives what has come, or nothing until the end if the connection is frozen.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.frozen.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

// Write sends, or loses what it is given if the connection is frozen.
func (c *conn) Write(p []byte) (int, error) {
	if c.frozen.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close closes it and forgets it.
func (c *conn) Close() error {
	c.close.Do(func() { close(c.closed) })
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}
