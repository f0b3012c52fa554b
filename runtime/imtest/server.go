package imtest

import (
	"context"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// target is what sessions dial; the dialer does not look at it.
const target = "passthrough:///imtest"

// Server is a server that lives as long as a test.
type Server struct {
	tb      testing.TB
	config  config
	network network
	faults  faults

	mu      sync.Mutex // guards running
	running *running
}

// running is one life of the server, from Start to Stop.
type running struct {
	server *server.Server
	log    *roomlog.Memory
	grpc   *grpc.Server
	serve  sync.WaitGroup
}

// NewServer starts a server that stops when the test ends, after the sessions on it.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s := &Server{tb: tb}
	for _, opt := range opts {
		opt.apply(&s.config)
	}
	s.Start()
	tb.Cleanup(s.Stop)
	return s
}

// Server is the server that runs now: another one after each [Server.Start]. Nil while it is stopped.
func (s *Server) Server() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil
	}
	return s.running.server
}

// Dial makes a session that is not connected yet: register generated clients on it, then call its Connect. The
// session is closed when the test ends.
func (s *Server) Dial(user string, opts ...session.Option) *session.Session {
	s.tb.Helper()
	own := []session.Option{session.WithUser(user), session.WithDialOptions(s.dialer())}
	made, err := session.Dial(target, append(own, opts...)...)
	if err != nil {
		s.tb.Fatalf("imtest: session of %q: %v", user, err)
	}
	s.tb.Cleanup(func() { _ = made.Close() })
	return made
}

// Session makes a session that is connected. It is closed when the test ends.
func (s *Server) Session(user string, opts ...session.Option) *session.Session {
	s.tb.Helper()
	made := s.Dial(user, opts...)
	if err := made.Connect(s.tb.Context()); err != nil {
		s.tb.Fatalf("imtest: connect %q: %v", user, err)
	}
	return made
}

// Conn makes a gRPC connection to the server, for session.New or for calls of one's own. It is closed when the test
// ends.
func (s *Server) Conn(opts ...grpc.DialOption) *grpc.ClientConn {
	s.tb.Helper()
	own := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()), s.dialer()}
	made, err := grpc.NewClient(target, append(own, opts...)...)
	if err != nil {
		s.tb.Fatalf("imtest: connection: %v", err)
	}
	s.tb.Cleanup(func() { _ = made.Close() })
	return made
}

func (s *Server) dialer() grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.network.dial(ctx) })
}

// Start starts a new server, with empty rooms and the same options, if none is running. Its log is a new one, unless
// server.WithLog gives one that lasts.
func (s *Server) Start() {
	s.tb.Helper()
	if s.Server() != nil {
		return
	}
	log := roomlog.NewMemory(roomlog.Retention{})
	srv, err := server.New(append([]server.Option{server.WithLog(log)}, s.config.server...)...)
	if err != nil {
		s.tb.Fatalf("imtest: server: %v", err)
	}
	for _, setup := range s.config.setup {
		if err := setup(srv); err != nil {
			s.tb.Fatalf("imtest: setup of the server: %v", err)
		}
	}
	opts := append(server.GRPCOptions(), grpc.WaitForHandlers(true), grpc.ChainStreamInterceptor(s.faults.intercept))
	r := &running{server: srv, log: log, grpc: grpc.NewServer(append(opts, s.config.grpc...)...)}
	imv1.RegisterIMServiceServer(r.grpc, srv)
	listener := s.network.listen()
	r.serve.Go(func() { _ = r.grpc.Serve(listener) }) // the error says that Stop was called
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = r
}

// Stop ends every stream and call and stops the server, if one is running: whoever connects is refused until
// [Server.Start]. Its rooms are gone.
func (s *Server) Stop() {
	s.mu.Lock()
	r := s.running
	s.running = nil
	s.mu.Unlock()
	if r == nil {
		return
	}
	s.network.refuse()
	r.server.Close()
	r.grpc.Stop()
	r.serve.Wait()
}

// Restart is Stop and Start: what a server that crashes and comes back looks like to its clients. The rooms' logs are lost
// unless server.WithLog gives them a place that lasts: a roomlog.Memory of the test's, for instance.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Start()
}

// Cut breaks every connection at once; the server goes on, and clients may connect again.
func (s *Server) Cut() { s.network.cut() }

// Freeze makes every connection that there is silent for good, in both directions, and breaks none: neither side is
// told, as when a router forgets them. New connections work.
func (s *Server) Freeze() { s.network.freeze() }
