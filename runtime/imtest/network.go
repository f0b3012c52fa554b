package imtest

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc/test/bufconn"
)

// bufferBytes is what a connection holds in one direction before a writer waits.
const bufferBytes = 256 << 10

var errStopped = errors.New("imtest: the server is stopped: connection refused")

// network is where clients find the listener of the moment.
type network struct {
	mu       sync.Mutex
	listener *bufconn.Listener // nil while nobody listens
	conns    map[*conn]struct{}
}

// listen lets clients connect until the listener is closed.
func (n *network) listen() *bufconn.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listener = bufconn.Listen(bufferBytes)
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
	c := &conn{Conn: raw, network: n}
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
		_ = c.Conn.Close()
	}
}

// conn is a client's end of a connection.
type conn struct {
	net.Conn

	network *network
}

// Close closes it and forgets it.
func (c *conn) Close() error {
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}
