package session

import (
	"errors"
	"fmt"
	"time"
)

// WithConnectTimeout bounds one try to connect, the first one and each reconnect. Default: 10 s.
func WithConnectTimeout(d time.Duration) Option {
	return option(func(c *config) error {
		c.timing.connect = d
		return wrapOption("WithConnectTimeout", checkPositive("the timeout", d))
	})
}

// WithRequestTimeout bounds a unary call and a join or leave on the stream. For an upload it bounds each step: a chunk
// that the connection takes, the final answer. Sends are bounded by their context alone. Default: 30 s.
func WithRequestTimeout(d time.Duration) Option {
	return option(func(c *config) error {
		c.timing.request = d
		return wrapOption("WithRequestTimeout", checkPositive("the timeout", d))
	})
}

// WithHeartbeat says how often the session sends a HEARTBEAT, and how long beyond that nothing may come from a server
// that answers heartbeats before the stream counts as dead. A server may ask for a shorter interval. Default: 10 s, 5 s.
func WithHeartbeat(interval, timeout time.Duration) Option {
	return option(func(c *config) error {
		c.timing.heartbeatInterval, c.timing.heartbeatTimeout = interval, timeout
		return wrapOption("WithHeartbeat",
			errors.Join(checkPositive("the interval", interval), checkPositive("the timeout", timeout)))
	})
}

// WithHandshakeWait says how long Connect waits for the server's header before it takes the server for one without
// the handshake, at most half of the connect timeout. Default: 1 s.
func WithHandshakeWait(d time.Duration) Option {
	return option(func(c *config) error {
		c.timing.handshakeWait = d
		return wrapOption("WithHandshakeWait", checkPositive("the wait", d))
	})
}

// longestWait is what no sensible wait exceeds.
const longestWait = 24 * time.Hour

// WithReconnect says how the session comes back. Default: Reconnect{}, which never gives up.
func WithReconnect(policy Reconnect) Option {
	return option(func(c *config) error {
		if policy.Attempts < 0 || policy.Base < 0 || policy.Max < 0 || policy.Stable < 0 {
			return errors.New("WithReconnect: a number is negative; 0 stands for the default")
		}
		c.timing.reconnect = policy.withDefaults()
		switch policy := c.timing.reconnect; {
		case policy.Base > policy.Max:
			return fmt.Errorf("WithReconnect: Base is %s, more than Max, %s", policy.Base, policy.Max)
		case policy.Max > longestWait:
			return fmt.Errorf("WithReconnect: Max is %s, more than %s", policy.Max, longestWait)
		default:
			return nil
		}
	})
}
