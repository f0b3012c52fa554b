package session

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// transports knows the connections below the session's own ClientConn. When a server falls silent its connection has
// to be cut: gRPC still takes it for good and would open the next stream on it, until TCP gives up after a quarter of
// an hour. The other servers' connections stay.
type transports struct {
	mu   sync.Mutex // held for map operations only
	live map[*transport]struct{}
}

// transport is one connection.
type transport struct {
	net.Conn

	all *transports
}

// Close closes it and forgets it.
func (t *transport) Close() error {
	t.all.mu.Lock()
	delete(t.all.live, t)
	t.all.mu.Unlock()
	return t.Conn.Close()
}

func (t *transports) add(conn net.Conn) net.Conn {
	added := &transport{Conn: conn, all: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		t.live = make(map[*transport]struct{})
	}
	t.live[added] = struct{}{}
	return added
}

// cutTransport closes the connection that a stream went over. That of a client which the application gave is its
// owner's: there, gRPC's keepalive has to find out that it is dead.
func (s *Session) cutTransport(st *stream) {
	if !s.owned {
		return
	}
	if over, ok := peer.FromContext(st.grpc.Context()); ok && over.LocalAddr != nil && over.Addr != nil {
		s.config.transports.cut(over.LocalAddr.String(), over.Addr.String())
	}
}

// cut closes what has these addresses. Nothing has if the credentials came through WithDialOptions.
func (t *transports) cut(local, remote string) {
	t.mu.Lock()
	var found []*transport
	for each := range t.live {
		if each.LocalAddr().String() == local && each.RemoteAddr().String() == remote {
			found = append(found, each)
		}
	}
	t.mu.Unlock()
	for _, each := range found {
		_ = each.Close() // it is dead anyway
	}
}

// trackedCredentials are the session's credentials, which see every connection.
type trackedCredentials struct {
	credentials.TransportCredentials

	all *transports
}

func (c trackedCredentials) ClientHandshake(
	ctx context.Context, authority string, raw net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return c.all.add(conn), info, nil
}

func (c trackedCredentials) Clone() credentials.TransportCredentials {
	return trackedCredentials{TransportCredentials: c.TransportCredentials.Clone(), all: c.all}
}

// UsesXDS passes on what gRPC asks xDS credentials.
func (c trackedCredentials) UsesXDS() bool {
	inner, ok := c.TransportCredentials.(interface{ UsesXDS() bool })
	return ok && inner.UsesXDS()
}
