package chaos_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// clientConfig is a client process's.
type clientConfig struct {
	Server   string        // its proxy
	Patience time.Duration // that it waits for results once it has stopped
	Sessions []memberConfig
}

// memberConfig is one session's.
type memberConfig struct {
	ID       int
	Rooms    []int // it reads them
	Sends    []int // some of them: it sends to them
	Injected bool  // session.New on a connection of the application's own
	WithConn bool  // and tells the session of it
	Hurried  bool  // its sends are given up early
	Echo     bool  // it hears itself
	Handler  time.Duration
	Window   int     // bytes; 0: the default
	Rate     float64 // messages per second and room
}

// What the controller says to a client.
const (
	commandGo   = "go"   // send
	commandStop = "stop" // send no more, wait for the results
	commandEnd  = "end"  // close the sessions and tell all
)

// client is a client process.
type client struct {
	config  clientConfig
	reports *reporter
	members []*member
}

func runClient() error {
	c := &client{reports: newReporter()}
	if err := readConfig(&c.config); err != nil {
		return err
	}
	flushed := make(chan struct{})
	defer close(flushed)
	go c.reports.flushing(flushed)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := c.join(ctx); err != nil {
		return err
	}
	c.reports.now(report{Status: statusReady})
	var sending sync.WaitGroup
	sendCtx, stop := context.WithCancel(ctx)
	defer stop()
	for word := range commands() {
		switch word {
		case commandGo:
			for _, m := range c.members {
				m.start(sendCtx, ctx, &sending)
			}
		case commandStop:
			stop()
			awaitAll(&sending, c.config.Patience)
			c.reports.now(report{Status: statusQuiet})
		case commandEnd:
			c.reports.now(report{Status: statusEnd, End: c.end()})
			return nil
		default:
			return fmt.Errorf("the controller says %q", word)
		}
	}
	return nil // the controller has gone
}

// join connects all sessions and joins their rooms.
func (c *client) join(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	errs := make(chan error, len(c.config.Sessions))
	for _, config := range c.config.Sessions {
		m := newMember(config, c.reports)
		c.members = append(c.members, m)
		go func() { errs <- m.join(ctx, c.config.Server) }()
	}
	for range c.members {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// end closes the sessions. Their handlers have returned by then.
func (c *client) end() *clientEnd {
	end := &clientEnd{}
	for _, m := range c.members {
		if m.session.State() == session.StateClosed {
			end.Closed = append(end.Closed, fmt.Sprintf("session %d closed by itself: %v", m.config.ID, m.session.Err()))
		}
		end.Reconnects += m.session.Stats().Reconnects
		_ = m.session.Close()
		<-m.session.Done()
		if m.conn != nil {
			_ = m.conn.Close()
		}
		m.meter.addTo(end)
		end.Errors = append(end.Errors, m.lastErrors()...)
	}
	return end
}

// awaitAll waits for a group, up to a time.
func awaitAll(group *sync.WaitGroup, most time.Duration) {
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// connection is what an application has of its own: keepalive as gRPC lets it, and a backoff that fits.
func connection(address string, intercept grpc.StreamClientInterceptor) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, append(ownConnection(), grpc.WithChainStreamInterceptor(intercept))...)
}
