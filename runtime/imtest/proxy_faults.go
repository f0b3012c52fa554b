package imtest

import (
	"maps"
	"slices"
	"time"
)

// Direction says which way bytes go through a [Proxy].
type Direction int

// The directions. [Both] is for faults that are the same in each.
const (
	ToTarget Direction = 1 << laneToTarget // what clients send
	ToClient Direction = 1 << laneToClient // what the target sends
	Both               = ToTarget | ToClient
)

// The lanes of a proxy, one for each direction.
const (
	laneToTarget = iota
	laneToClient
	lanes
)

// lane is what holds for one direction.
type lane struct {
	frozen bool
	delay  time.Duration
	rate   int    // bytes per second of one connection; 0: no limit
	limit  *limit // nil: no CutAfter waits
	passed int64
}

// limit is a CutAfter that has not come to its end.
type limit struct{ left int64 }

// Cut resets every connection at once, on both sides, as a firewall does that restarts: reads and writes fail with
// "connection reset by peer". When it returns, none is open. New connections work.
func (p *Proxy) Cut() { p.cut(nil) }

// CutAfter lets n more bytes pass in a direction, over all connections together, and then does what [Proxy.Cut] does,
// once. The count begins now; with [Both] each direction has its own. Zero cuts when the next byte wants to pass, a
// negative n takes an earlier CutAfter back. Bytes that the target or a client has not read when the reset comes may be
// lost to it, as in a network.
func (p *Proxy) CutAfter(d Direction, n int64) {
	p.each(d, func(l *lane) {
		l.limit = nil
		if n >= 0 {
			l.limit = &limit{left: n}
		}
	})
}

// Freeze lets nothing pass in a direction until [Proxy.Thaw]. Nothing is lost or broken: what is sent waits, the end of
// a connection too, and new connections are accepted.
func (p *Proxy) Freeze(d Direction) { p.each(d, func(l *lane) { l.frozen = true }) }

// Thaw ends [Proxy.Freeze] in a direction: connections go on where they stopped.
func (p *Proxy) Thaw(d Direction) { p.each(d, func(l *lane) { l.frozen = false }) }

// HalfOpen with true makes every connection half-open, as when a router forgets them: both sides may send as before,
// what they send is swallowed, and neither is told, not even when the other one ends. New connections are accepted and
// swallowed too, and the target does not hear of them. With false it lets new connections work; one that was
// half-open has holes and stays so until its ends close it or [Proxy.Cut] does.
func (p *Proxy) HalfOpen(on bool) {
	p.set(func() {
		p.halfOpen = on
		if !on {
			return
		}
		for c := range p.conns {
			c.lost = true
		}
	})
}

// Refuse with true refuses new connections until it is called with false; those that are there go on. The port stays
// the proxy's and nobody else can take it: a connection is accepted and reset at once. A client's dial, or its first
// read or write if the dial was quicker, says "connection reset by peer".
func (p *Proxy) Refuse(on bool) { p.set(func() { p.refuse = on }) }

// SetTarget sends the connections that come from now on to another host:port, such as a server that was started again
// at another port. Those that are there stay where they are: see [Proxy.Cut].
func (p *Proxy) SetTarget(target string) { p.set(func() { p.target = target }) }

// Delay makes everything that comes in from now on take so much longer in a direction, the end of a connection too. The
// order stays. Zero is no delay. A long delay also bounds the speed: 256 KiB are on their way at most, in 64 pieces.
func (p *Proxy) Delay(d Direction, delay time.Duration) { p.each(d, func(l *lane) { l.delay = delay }) }

// Throttle lets each connection pass so many bytes per second in a direction, in pieces of about 50 ms. Zero, or less,
// is no limit.
func (p *Proxy) Throttle(d Direction, bytesPerSecond int) {
	p.each(d, func(l *lane) { l.rate = max(bytesPerSecond, 0) })
}

// each changes the lanes of a direction.
func (p *Proxy) each(d Direction, change func(l *lane)) {
	p.set(func() {
		for i := range p.lanes {
			if d&(1<<i) != 0 {
				change(&p.lanes[i])
			}
		}
	})
}

// set changes faults and wakes up whoever waits for a change.
func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// cut resets every connection. With a limit it does so only if it is the first to find that limit used up.
func (p *Proxy) cut(spent *limit) {
	p.mu.Lock()
	first := spent == nil
	for i := range p.lanes {
		if spent != nil && p.lanes[i].limit == spent {
			p.lanes[i].limit = nil
			first = true
		}
	}
	var conns []*proxyConn
	if first {
		conns = slices.Collect(maps.Keys(p.conns))
		clear(p.conns)
	}
	p.mu.Unlock()
	for _, c := range conns {
		c.reset()
	}
}
