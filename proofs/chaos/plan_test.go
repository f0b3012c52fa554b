package chaos_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/imtest"
)

// action is one thing that the controller does to the network.
type action struct {
	at      time.Duration // since the start of the faults
	proxy   int           // which one; the last one stands before the log
	what    string
	do      func(p *imtest.Proxy)
	cuts    bool // it breaks connections
	undoing bool // it ends a fault
}

// stop is one restart of the server.
type stop struct {
	at     time.Duration
	kill   bool // SIGKILL; otherwise as an operator does it
	before time.Duration
}

// plan is all that happens to the network and the server.
type plan struct {
	actions []action
	stops   []stop
}

// makePlan draws a plan: the same seed and sizes give the same one.
func makePlan(seed uint64, length time.Duration, proxies, cuts, restarts int, log bool) plan {
	random := rand.New(rand.NewPCG(seed, 0))
	var p plan
	within := func() time.Duration { return time.Duration(random.Int64N(int64(length))) }
	for range cuts {
		p.actions = append(p.actions, breaking(random, within(), random.IntN(proxies))...)
	}
	for range cuts / 2 {
		p.actions = append(p.actions, slowing(random, within(), random.IntN(proxies))...)
	}
	if log {
		for range cuts / 10 {
			p.actions = append(p.actions, action{
				at: within(), proxy: proxies, what: "cut (log)", do: (*imtest.Proxy).Cut,
			})
		}
		p.actions = append(p.actions, action{
			proxy: proxies, what: "delay (log)",
			do: func(p *imtest.Proxy) { p.Delay(imtest.Both, 2*time.Millisecond) },
		})
	}
	for at := time.Duration(0); at < length; at += throttledEvery {
		p.actions = append(p.actions, throttling(at, min(at+throttledFor, length))...)
	}
	slices.SortStableFunc(p.actions, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	for range restarts {
		p.stops = append(p.stops, stop{at: within(), kill: random.IntN(10) < 7, before: ms(random, 500)})
	}
	slices.SortStableFunc(p.stops, func(a, b stop) int { return cmp.Compare(a.at, b.at) })
	return p
}

// breaking is a fault that breaks connections, and what ends it.
func breaking(random *rand.Rand, at time.Duration, proxy int) []action {
	first := action{at: at, proxy: proxy, cuts: true}
	last := action{proxy: proxy, undoing: true}
	switch n := random.IntN(20); {
	case n < 10:
		first.what, first.do = "cut", (*imtest.Proxy).Cut
		return []action{first}
	case n < 15:
		direction, bytes := imtest.Direction(1+random.IntN(2)), random.Int64N(20_000)
		first.what, first.do = "cut after bytes", func(p *imtest.Proxy) { p.CutAfter(direction, bytes) }
		return []action{first}
	case n < 17:
		resets := random.IntN(2) == 0 // otherwise both ends have to notice by themselves
		first.what, first.do = "half-open", func(p *imtest.Proxy) { p.HalfOpen(true) }
		last.at, last.what = at+ms(random, 3000), "half-open no more"
		last.do = func(p *imtest.Proxy) {
			p.HalfOpen(false)
			if resets {
				p.Cut()
			}
		}
	default:
		first.what, first.do = "cut and refuse", func(p *imtest.Proxy) { p.Refuse(true); p.Cut() }
		last.at, last.what = at+ms(random, 1500), "refuse no more"
		last.do = func(p *imtest.Proxy) { p.Refuse(false) }
	}
	return []action{first, last}
}

// slowing is a fault that breaks nothing, and what ends it.
func slowing(random *rand.Rand, at time.Duration, proxy int) []action {
	first := action{at: at, proxy: proxy}
	last := action{at: at + ms(random, 3000), proxy: proxy, undoing: true}
	direction := imtest.Direction(1 + random.IntN(3))
	if random.IntN(2) == 0 {
		delay := ms(random, 200)
		first.what, first.do = "delay", func(p *imtest.Proxy) { p.Delay(direction, delay) }
		last.what, last.do = "delay no more", func(p *imtest.Proxy) { p.Delay(direction, 0) }
	} else {
		last.at = at + ms(random, 1500)
		first.what, first.do = "freeze", func(p *imtest.Proxy) { p.Freeze(direction) }
		last.what, last.do = "thaw", func(p *imtest.Proxy) { p.Thaw(direction) }
	}
	return []action{first, last}
}

// throttling makes the throttled client slow, and ends that.
func throttling(at, until time.Duration) []action {
	return []action{{
		at: at, proxy: throttledClient, what: "throttle",
		do: func(p *imtest.Proxy) { p.Throttle(imtest.ToClient, throttleRate) },
	}, {
		at: until, proxy: throttledClient, what: "throttle no more", undoing: true,
		do: func(p *imtest.Proxy) { p.Throttle(imtest.ToClient, 0) },
	}}
}

func ms(random *rand.Rand, most int64) time.Duration {
	return time.Duration(random.Int64N(most)) * time.Millisecond
}

func TestASeedMakesAPlan(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string {
		p := makePlan(seed, time.Minute, 4, 50, 10, true)
		var lines []string
		breaks := 0
		for _, a := range p.actions {
			lines = append(lines, fmt.Sprint(a.at, a.proxy, a.what))
			if a.cuts {
				breaks++
			}
		}
		for _, s := range p.stops {
			lines = append(lines, fmt.Sprint(s))
		}
		if breaks != 50 || len(p.stops) != 10 {
			t.Errorf("%d cuts, %d restarts", breaks, len(p.stops))
		}
		return fmt.Sprint(lines)
	}
	if one := text(1); one != text(1) || one == text(2) {
		t.Error("a seed does not decide")
	}
}
