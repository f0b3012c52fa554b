package session

import (
	"log/slog"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/balancer"
	"github.com/game-im/im-grpc-sdk/runtime/discovery"
)

// config is what the options set. It does not change once the session is made.
type config struct {
	user         string
	room         string
	roomMetadata map[string]string // nil or not empty
	agent        string
	timing       timing
	dialing      dialing
	conn         *grpc.ClientConn // given by WithConn
	// transports are what Dial's connection consists of; the credentials fill it.
	transports transports
	waker      *waker // that the resolvers wake
	handlers   handlers
	receiving  receiving
	sending    sending
	log        *slog.Logger
}

// timing has every duration.
type timing struct {
	connect           time.Duration
	request           time.Duration
	heartbeatInterval time.Duration
	heartbeatTimeout  time.Duration
	handshakeWait     time.Duration
	reconnect         Reconnect
}

// dialing is for Dial alone.
type dialing struct {
	used        []string // names of the options that were given, for New's error
	credentials credentials.TransportCredentials
	perRPC      []credentials.PerRPCCredentials
	options     []grpc.DialOption
	schemes     []discovery.Scheme
	policy      balancer.Policy
}

// handlers are the application's functions.
type handlers struct {
	onConnect    func()
	onDisconnect func(error)
	onError      func(error)
	onState      func(State)
	onMessage    MessageFunc
	onAck        AckFunc
	unknown      runtime.ReceiveFunc
	unhandled    runtime.ReceiveFunc
}

// receiving bounds the lanes and says what goes through them.
type receiving struct {
	interceptors []runtime.ReceiveInterceptor
	laneMessages int
	laneWorkers  int
	echo         bool
	window       int // bytes
	onGap        GapFunc
	store        CursorStore
}

// sending is what a message passes on its way out.
type sending struct {
	interceptors []runtime.SendInterceptor
	limiter      *rate.Limiter

	outboxMessages, outboxBytes int
	outboxNoWait, toNewLog      bool
}

func defaults() *config {
	return &config{
		timing: timing{
			connect:           10 * time.Second,
			request:           30 * time.Second,
			heartbeatInterval: 10 * time.Second,
			heartbeatTimeout:  5 * time.Second,
			handshakeWait:     time.Second,
			reconnect:         Reconnect{}.withDefaults(),
		},
		dialing:   dialing{policy: balancer.RoundRobin},
		receiving: receiving{laneMessages: 256, laneWorkers: 64, window: 256 << 10},
		sending:   sending{outboxMessages: 4096, outboxBytes: 8 << 20},
		waker:     new(waker),
		log:       slog.New(slog.DiscardHandler),
	}
}
