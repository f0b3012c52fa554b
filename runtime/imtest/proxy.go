package imtest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands on a TCP port of its own between clients and a server, passes on what they send, and makes the faults
// that networks make. Clients dial [Proxy.Addr]. A new Proxy has no fault.
//
// It knows nothing of what it carries: TLS, gRPC or anything else. What one side ends, the other side sees: a closed
// direction as closed, a reset as a reset. A client whose target cannot be reached is reset, frozen or not. On its way
// the proxy holds at most 256 KiB for each connection and direction; who sends more waits, as with a full socket.
//
// Faults may be set and taken back at any time, from any goroutine, and add up. They hold for live and for new
// connections, and change what has not been passed on when the call returns; a piece that is being written at that
// moment still arrives. A Proxy uses real sockets: it does not belong in a testing/synctest bubble.
type Proxy struct {
	tb       testing.TB
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex    // guards what follows; never held while the network is waited for
	changed  chan struct{} // closed and replaced when a fault changes
	target   string
	refuse   bool
	halfOpen bool
	lanes    [lanes]lane
	conns    map[*proxyConn]struct{}
	stats    ProxyStats
}

// ProxyStats counts what a [Proxy] has done since it was made.
type ProxyStats struct {
	Connections   int64 // accepted, those that were refused left out
	Refused       int64 // reset because of [Proxy.Refuse]
	Open          int   // connections that are there now
	BytesToTarget int64 // passed on to the target; what was swallowed does not count
	BytesToClient int64 // passed on to clients
}

// NewProxy listens on a free port of 127.0.0.1 and passes every connection on to target, a host:port of TCP. Nobody
// needs to listen there yet. It ends with the test, and all its connections with it: make it after the server and
// before the sessions, and they end in the right order. It belongs to the test's goroutine.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context()) // which ends before what the test cleans up is closed
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("imtest: proxy: %v", err)
	}
	p := &Proxy{
		tb: tb, listener: listener, target: target,
		changed: make(chan struct{}), conns: make(map[*proxyConn]struct{}),
	}
	p.running.Go(func() { p.accept(ctx) })
	tb.Cleanup(p.close)
	return p
}

// Addr is the host:port that clients dial. It stays the same.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Stats is what has happened so far. Bytes are counted before they are written: whoever has received a byte finds it
// counted.
func (p *Proxy) Stats() ProxyStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.Open = len(p.conns)
	stats.BytesToTarget, stats.BytesToClient = p.lanes[laneToTarget].passed, p.lanes[laneToClient].passed
	return stats
}

// close ends everything and returns when no goroutine is left.
func (p *Proxy) close() {
	_ = p.listener.Close()
	p.Refuse(true) // what Accept may have in its hands
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) accept(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.tb.Errorf("imtest: proxy: no more connections are accepted: %v", err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		c := &proxyConn{client: client, done: ctx.Done(), cancel: cancel}
		if !p.register(c) {
			c.reset()
			continue
		}
		p.running.Go(func() {
			defer p.forget(c)
			p.serve(ctx, c)
		})
	}
}

// register takes a connection in, unless connections are refused.
func (p *Proxy) register(c *proxyConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse {
		p.stats.Refused++
		return false
	}
	p.stats.Connections++
	c.lost = p.halfOpen
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) forget(c *proxyConn) {
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	c.close()
}

// serve connects a client with the target, and returns when both directions have ended.
func (p *Proxy) serve(ctx context.Context, c *proxyConn) {
	target, lost := p.route(c)
	if !lost && !c.dial(ctx, target) {
		if _, lost = p.route(c); !lost {
			c.reset()
			return
		}
	}
	if c.server == nil {
		_, _ = io.Copy(io.Discard, c.client)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(c, laneToTarget, c.client, c.server) })
	both.Go(func() { p.pass(c, laneToClient, c.server, c.client) })
	both.Wait()
}

// route tells where a connection goes, and whether it is half-open, and goes nowhere.
func (p *Proxy) route(c *proxyConn) (target string, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target, c.lost
}
