package imtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// What a connection holds in one direction: 256 KiB, in pieces.
const (
	pieceBytes  = 4 << 10
	queuePieces = 64
)

// proxyConn is a client's connection and the one to the target that belongs to it.
type proxyConn struct {
	client net.Conn
	done   <-chan struct{} // closed by close
	cancel context.CancelFunc
	lost   bool             // half-open for good; guarded by the proxy's mu
	next   [lanes]time.Time // when a throttled lane may pass more; each belongs to its lane's writer

	mu     sync.Mutex // guards what follows
	server net.Conn   // set once, by the goroutine that reads it without mu
	closed bool
}

// piece is what has come in at once, or the end of a direction.
type piece struct {
	data []byte
	due  time.Time
	end  error // what ended the direction; nil if there is data
}

// dial connects with the target, unless the connection ends meanwhile.
func (c *proxyConn) dial(ctx context.Context, target string) bool {
	var dialer net.Dialer
	server, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = server.Close()
		return false
	}
	c.server = server
	return true
}

// reset ends both sides as an error of the network does, unless they have ended.
func (c *proxyConn) reset() { c.end(true) }

// close ends both sides, unless they have ended.
func (c *proxyConn) close() { c.end(false) }

func (c *proxyConn) end(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.cancel()
	for _, side := range []net.Conn{c.client, c.server} {
		if side == nil {
			continue
		}
		if tcp, ok := side.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0) // Close sends a reset, and does not wait
		}
		_ = side.Close()
	}
}

// pass carries one direction of a connection until it ends.
func (p *Proxy) pass(c *proxyConn, lane int, from, to net.Conn) {
	queue := make(chan piece, queuePieces)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		p.read(c, lane, from, queue)
	})
	if !p.write(c, lane, to, queue) {
		c.reset()
	}
	reader.Wait()
}

// read stamps what comes in with the time when it is due. The end is the last piece.
func (p *Proxy) read(c *proxyConn, lane int, from net.Conn, queue chan<- piece) {
	buffer := make([]byte, pieceBytes)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		due := time.Now().Add(p.lanes[lane].delay)
		p.mu.Unlock()
		for _, in := range []piece{{data: bytes.Clone(buffer[:n]), due: due}, {end: err, due: due}} {
			if len(in.data) == 0 && in.end == nil {
				continue
			}
			select {
			case queue <- in:
			case <-c.done:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// write passes on what is due. False: the connection is to be reset.
func (p *Proxy) write(c *proxyConn, lane int, to net.Conn, queue <-chan piece) bool {
	for out := range queue {
		if !c.wait(nil, time.Until(out.due)) {
			return false
		}
		if out.end == nil {
			if !p.writeData(c, lane, to, out.data) {
				return false
			}
			continue
		}
		passes := p.grant(c, lane, 0)
		if passes.swallow {
			continue
		}
		tcp, ok := to.(*net.TCPConn)
		if passes.over || !ok || !errors.Is(out.end, io.EOF) || tcp.CloseWrite() != nil {
			return false
		}
	}
	return true
}

func (p *Proxy) writeData(c *proxyConn, lane int, to net.Conn, data []byte) bool {
	for len(data) > 0 {
		passes := p.grant(c, lane, len(data))
		switch {
		case passes.over:
			return false
		case passes.swallow:
			return true
		}
		_, err := to.Write(data[:passes.bytes])
		if passes.spent != nil {
			p.cut(passes.spent)
		}
		if err != nil {
			return p.swallows(c) // nobody is told that a half-open connection has ended
		}
		data = data[passes.bytes:]
	}
	return true
}
