package imtest

import "time"

// grant is what may become of bytes that have come in.
type grant struct {
	bytes   int    // so many may be passed on, and are counted
	spent   *limit // what those bytes used up: cut when they are written
	swallow bool   // the connection is half-open: nobody gets them
	over    bool   // the connection has ended
}

// grant waits until some of the bytes may pass, one at least, or until it is clear that none will. With none wanted it
// waits until the end of a direction may pass.
func (p *Proxy) grant(c *proxyConn, lane, wanted int) grant {
	for {
		passes, changed, pause := p.tryGrant(c, lane, wanted)
		if changed == nil {
			return passes
		}
		if !c.wait(changed, pause) {
			return grant{over: true}
		}
	}
}

// tryGrant decides now, or tells what to wait for: a change of the faults, or a pause if it is not 0.
func (p *Proxy) tryGrant(c *proxyConn, lane, wanted int) (passes grant, changed <-chan struct{}, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.lanes[lane]
	_, open := p.conns[c]
	switch {
	case !open:
		return grant{over: true}, nil, 0
	case c.lost:
		return grant{swallow: true}, nil, 0
	case l.frozen:
		return grant{}, p.changed, 0
	case wanted == 0:
		return grant{}, nil, 0
	}
	n := wanted
	if l.rate > 0 {
		now := time.Now()
		if pause := c.next[lane].Sub(now); pause > 0 {
			return grant{}, p.changed, pause
		}
		n = min(n, max(1, l.rate/20))
		c.next[lane] = now.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
	}
	passes.bytes = n
	if l.limit != nil {
		passes.bytes = int(min(int64(n), l.limit.left))
		l.limit.left -= int64(passes.bytes)
		if l.limit.left == 0 {
			passes.spent = l.limit
		}
	}
	l.passed += int64(passes.bytes)
	return passes, nil, 0
}

// swallows tells whether a connection is half-open.
func (p *Proxy) swallows(c *proxyConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.lost
}

// wait returns after a pause, or at a change. Without a change to wait for, a pause that is over is none; with one, a
// pause of 0 has no end. False: the connection has ended.
func (c *proxyConn) wait(changed <-chan struct{}, pause time.Duration) bool {
	var over <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		over = timer.C
	} else if changed == nil {
		return true
	}
	select {
	case <-over:
		return true
	case <-changed:
		return true
	case <-c.done:
		return false
	}
}
