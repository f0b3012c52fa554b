package server

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/kindset"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Server is an IMService. Make it with [New] and register it with imv1.RegisterIMServiceServer. All methods are safe
// for concurrent use.
type Server struct {
	imv1.UnimplementedIMServiceServer

	config   config
	log      *slog.Logger
	rules    requestRules
	contents contents
	rooms    rooms
	streams  streamSet
	sessions sessions
	notices  notices
	asked    asked
	counts   counters

	registering sync.Mutex
	serving     atomic.Bool        // set by the first call; the router is read-only from then on
	router      runtime.Router     // written under registering, before serving
	kinds       func() kindset.Set // the router's; not before serving
	theirs      kindset.Teller
}

var (
	_ imv1.IMServiceServer = (*Server)(nil)
	_ runtime.Server       = (*Server)(nil)
)

var (
	errServing = errors.New("the server serves already: register before the first call")
	errClosing = status.Error(codes.Unavailable, "the server is stopping: connect again")
)

// New makes a server. It fails if an option's value makes no sense, and tells all that do not.
func New(opts ...Option) (*Server, error) {
	cfg := defaults()
	for _, opt := range opts {
		opt.apply(&cfg)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{
		config: cfg, log: cfg.logger, rules: newRequestRules(), contents: newContents(),
		rooms: newRooms(), sessions: newSessions(), notices: newNotices(), asked: newAsked(),
		theirs: kindset.Teller{Log: cfg.logger, Other: "client"},
	}
	s.kinds = sync.OnceValue(func() kindset.Set { return kindset.Of(s.router.Kinds()) })
	return s, nil
}

// Register takes a generated package's kinds and hooks. It fails once the server has had its first call, and when a
// kind's number is taken.
func (s *Server) Register(registration runtime.Registration) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	if s.serving.Load() {
		return errServing
	}
	return s.router.Add(registration)
}

// serve ends the time of registering.
func (s *Server) serve() {
	if s.serving.Load() {
		return
	}
	s.registering.Lock()
	defer s.registering.Unlock()
	s.serving.Store(true)
}

// Close ends all streams with UNAVAILABLE, takes no more calls and returns when the goroutines of the streams have
// ended. Hooks that run for streams are waited for; their context is cancelled. Unary calls that are running go on. It does
// not stop the grpc.Server: do that after Close, because GracefulStop before it would wait for the streams. It may be
// called more than once, from anywhere but a hook.
func (s *Server) Close() {
	s.streams.close(errClosing)
	s.rooms.close()
}
