package chaos_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
)

// setting is what a run is.
type setting struct {
	mode           mode
	seed           uint64
	length         time.Duration
	cuts, restarts int
	rate           int
	faults         faults        // of the server
	patience       time.Duration // that clients wait for results, once all have stopped
	idle           time.Duration // that the controller waits for a further delivery then
	env            []string      // of all processes
}

// controller runs one.
type controller struct {
	t       *testing.T
	setting setting
	book    *ledger.Book
	proxies []*imtest.Proxy // one for each client
	log     *imtest.Proxy   // nil where the log dies
	server  *child
	clients []*child
	result  *result
	began   time.Time
}

const (
	startMost = 30 * time.Second // for a process to be ready
	endMost   = 30 * time.Second
	drainMost = 60 * time.Second // until all has arrived, after the last fault
)

// chaos runs it all and says what came of it.
func chaos(t *testing.T, s setting) *result {
	t.Helper()
	c := &controller{
		t: t, setting: s, book: ledger.NewBook(), result: &result{setting: s, cuts: make(map[string]int)},
	}
	c.start()
	var faulty sync.WaitGroup
	p := makePlan(s.seed, s.length, clients, s.cuts, s.restarts, c.log != nil)
	c.began = time.Now()
	c.sayAll(commandGo)
	faulty.Go(func() { c.breakNetwork(p.actions) })
	c.restartServers(p.stops) // in the test's goroutine: it may end the test
	c.sleepUntil(s.length)
	faulty.Wait()
	c.finish()
	c.result.audit = c.book.Audit()
	return c.result
}

// start starts everything, without a fault.
func (c *controller) start() {
	c.t.Helper()
	var logAddress string
	if c.setting.mode == logSurvives {
		log := spawn(c.t, c.book, "the log", roleLog, nil, c.setting.env...)
		c.log = imtest.NewProxy(c.t, log.await(statusReady, startMost).Text)
		logAddress = c.log.Addr()
	}
	address := c.startServer(logAddress)
	addresses := make([]string, clients)
	for i := range addresses {
		p := imtest.NewProxy(c.t, address)
		c.proxies = append(c.proxies, p)
		addresses[i] = p.Addr()
	}
	configs := cast(addresses, c.setting)
	enter(c.book, configs)
	for i, config := range configs {
		c.clients = append(c.clients, spawn(c.t, c.book, fmt.Sprint("client ", i), roleClient, config, c.setting.env...))
	}
	for _, client := range c.clients {
		client.await(statusReady, startMost)
	}
}

func (c *controller) startServer(log string) (address string) {
	c.t.Helper()
	config := serverConfig{Log: log, Number: c.result.restarts, Faults: c.setting.faults}
	c.server = spawn(c.t, c.book, fmt.Sprint("server ", c.result.restarts), roleServer, config, c.setting.env...)
	return c.server.await(statusReady, startMost).Text
}

func (c *controller) sayAll(word string) {
	for _, client := range c.clients {
		client.say(word)
	}
}

func (c *controller) sleepUntil(at time.Duration) { time.Sleep(time.Until(c.began.Add(at))) }

// breakNetwork does what is planned, and leaves no fault behind.
func (c *controller) breakNetwork(actions []action) {
	for _, a := range actions {
		c.sleepUntil(a.at)
		if a.proxy == len(c.proxies) {
			a.do(c.log)
		} else {
			a.do(c.proxies[a.proxy])
		}
		if !a.undoing {
			c.result.cuts[a.what]++
		}
		if a.cuts {
			c.result.breaks++
		}
	}
	for _, p := range c.proxies {
		p.CutAfter(imtest.Both, -1)
		p.HalfOpen(false)
		p.Refuse(false)
		p.Thaw(imtest.Both)
		p.Throttle(imtest.Both, 0)
		p.Delay(imtest.Both, 0)
	}
}

// restartServers does what is planned.
func (c *controller) restartServers(stops []stop) {
	c.t.Helper()
	for _, s := range stops {
		c.sleepUntil(s.at)
		c.result.restarts++
		old, log := c.server, ""
		if c.log != nil {
			log = c.log.Addr()
		}
		switch {
		case s.kill:
			c.result.killed++
			old.kill()
			c.sleepUntil(s.at + s.before)
			c.target(c.startServer(log))
		case c.log != nil: // the next one first: both share the log
			c.target(c.startServer(log))
			old.terminate(endMost)
		default:
			old.terminate(endMost)
			c.target(c.startServer(log))
		}
		if err := old.complaints(); err != nil {
			c.result.trouble = append(c.result.trouble, err)
		}
	}
}

func (c *controller) target(address string) {
	for _, p := range c.proxies {
		p.SetTarget(address)
	}
}

// finish lets everybody get what is missing, and ends all.
func (c *controller) finish() {
	c.t.Helper()
	c.sayAll(commandStop)
	for _, client := range c.clients {
		client.await(statusQuiet, c.setting.patience+endMost)
	}
	c.drain()
	c.sayAll(commandEnd)
	ends := &c.result.ends
	for _, client := range c.clients {
		end := client.await(statusEnd, endMost).End
		client.ends(endMost)
		if end.Silence > ends.Silence {
			ends.Silence, ends.SilentFor = end.Silence, end.SilentFor
		}
		ends.Reconnects += end.Reconnects
		ends.Overrun += end.Overrun
		ends.OverrunBy = max(ends.OverrunBy, end.OverrunBy)
		ends.Overruns = append(ends.Overruns, end.Overruns...)
		ends.Closed = append(ends.Closed, end.Closed...)
		ends.Errors = append(ends.Errors, end.Errors...)
	}
	c.server.terminate(endMost)
}

// drain waits until all that has a receipt has been delivered, or nothing is delivered any more.
func (c *controller) drain() {
	began, last, lastDelivered := time.Now(), time.Now(), 0
	for time.Since(began) < drainMost && time.Since(last) < c.setting.idle {
		unanswered, missing, delivered := c.book.Open()
		if missing == 0 && unanswered == 0 {
			return
		}
		if delivered != lastDelivered {
			last, lastDelivered = time.Now(), delivered
		}
		time.Sleep(200 * time.Millisecond)
	}
}
