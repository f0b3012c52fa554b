package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// Option changes a server. There is one constructor for each, With….
type Option interface{ apply(cfg *config) }

type option func(cfg *config)

func (o option) apply(cfg *config) { o(cfg) }

// Authenticator tells which user a call or a stream belongs to. The context is the call's: metadata and the peer with its
// TLS state are in it. An error's gRPC code and text go to the client; an error without a code counts as
// UNAUTHENTICATED, and so does an empty user.
type Authenticator func(ctx context.Context) (userID string, err error)

// RoomPolicy tells what a room is when its first user joins. Name, Description and Config are used; the rest is the
// server's. Of Config, MessageTtlSeconds and AutoTranscribe are told to clients and not acted on: the log's own retention
// holds for every room, and transcripts are asked for. An error refuses the join with its gRPC code and text. Of two
// first joins at the same moment both may ask; one of the answers is used.
type RoomPolicy func(ctx context.Context, roomID string) (*imv1.RoomInfo, error)

// JoinHook is asked before a user is put into a room, and when one who is not in it sends with the unary SendMessage. It
// may change nickname, role, muted and metadata. An error refuses the join, or that message, with its gRPC code and text.
type JoinHook func(ctx context.Context, join *Join) error

type config struct {
	authenticate  Authenticator // nil: metadata and messages are trusted
	roomPolicy    RoomPolicy    // nil: every room is there, without limits
	joinHook      JoinHook      // nil: everybody may join as what they say
	onAck         func(ctx context.Context, ack Ack)
	audio         AudioStore
	transcriber   Transcriber // nil: there are no transcripts
	logger        *slog.Logger
	echoToday     bool
	queueFrames   int
	queueBytes    int
	engine        roomlog.Engine
	window        int
	maxMessage    int
	maxAudio      int64
	maxRooms      int
	heartbeat     time.Duration
	heartbeatWait time.Duration
	silence       time.Duration
	firstMessage  time.Duration
	onDrain       func(ctx context.Context) error // nil: nobody is told
	drainSpread   time.Duration
}

func defaults() config {
	return config{
		audio:         NewMemoryAudioStore(256 << 20),
		logger:        slog.New(slog.DiscardHandler),
		queueFrames:   4096,
		queueBytes:    8 << 20,
		engine:        roomlog.NewMemory(roomlog.Retention{}),
		window:        256 << 10,
		maxMessage:    1 << 20,
		maxAudio:      64 << 20,
		maxRooms:      1000,
		heartbeat:     10 * time.Second,
		heartbeatWait: 5 * time.Second,
		silence:       300 * time.Second,
		firstMessage:  300 * time.Second,
		drainSpread:   5 * time.Second,
	}
}

func (cfg *config) check() error {
	var errs []error
	positive := func(option string, ok bool) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: each value must be above 0", option))
		}
	}
	positive("WithQueue", cfg.queueFrames > 0 && cfg.queueBytes > 0)
	positive("WithMaxMessageBytes", cfg.maxMessage > 0)
	positive("WithMaxAudioBytes", cfg.maxAudio > 0)
	positive("WithMaxRooms", cfg.maxRooms > 0)
	positive("WithHeartbeat", cfg.heartbeat > 0 && cfg.heartbeatWait > 0)
	positive("WithSilenceTimeout", cfg.silence > 0)
	positive("WithFirstMessageTimeout", cfg.firstMessage > 0)
	if cfg.drainSpread < 0 || cfg.drainSpread > maxDrainSpread {
		errs = append(errs, fmt.Errorf("WithDrainSpread: %s is not between 0 and %s", cfg.drainSpread, maxDrainSpread))
	}
	if cfg.maxMessage > maxEnvelope {
		errs = append(errs, fmt.Errorf("WithMaxMessageBytes: %d is more than %d, which is what gRPC clients receive by default",
			cfg.maxMessage, maxEnvelope))
	}
	if cfg.audio == nil {
		errs = append(errs, errors.New("WithAudioStore: the store is nil"))
	}
	if cfg.engine == nil {
		errs = append(errs, errors.New("WithLog: the engine is nil"))
	}
	if cfg.window < minWindow {
		errs = append(errs, fmt.Errorf("WithWindow: %d bytes are too few: give at least %d", cfg.window, minWindow))
	}
	if cfg.logger == nil {
		errs = append(errs, errors.New("WithLogger: the logger is nil"))
	}
	return errors.Join(errs...)
}

// WithAuthenticator tells how to learn the user of a stream or call. A client that names another user in metadata or in a
// request is refused with PERMISSION_DENIED. Default: nothing is checked. The metadata user-id is trusted, or without one
// the user_id of the stream's first message or of the request: for development, or behind a gateway that sets it.
func WithAuthenticator(authenticate Authenticator) Option {
	return option(func(cfg *config) { cfg.authenticate = authenticate })
}

// WithRoomPolicy tells which rooms there are. Default: every room, without limits, not persistent, audio and rich
// text allowed.
func WithRoomPolicy(policy RoomPolicy) Option {
	return option(func(cfg *config) { cfg.roomPolicy = policy })
}

// WithJoinHook tells who may join. Default: everybody may, with the nickname and the role that the client asks for,
// admin included.
func WithJoinHook(hook JoinHook) Option {
	return option(func(cfg *config) { cfg.joinHook = hook })
}

// WithOnAck is told of each ACK of a message that asked for one and that the room's log still has. It runs in the
// reader's goroutine, as hooks do. Default: none; the ACK goes to the sender's session only.
func WithOnAck(onAck func(ctx context.Context, ack Ack)) Option {
	return option(func(cfg *config) { cfg.onAck = onAck })
}

// WithAudioStore tells where audios are kept. Default: in memory, 256 MiB in all.
func WithAudioStore(store AudioStore) Option {
	return option(func(cfg *config) { cfg.audio = store })
}

// WithTranscriber gives transcripts. Default: none; GetAudioTranscript answers with the status FAILED.
func WithTranscriber(transcriber Transcriber) Option {
	return option(func(cfg *config) { cfg.transcriber = transcriber })
}

// WithLogger logs: streams that come and go (debug), refusals (debug), peers that break the protocol (warn), panics
// (error). No content is logged. Default: silent.
func WithLogger(logger *slog.Logger) Option {
	return option(func(cfg *config) { cfg.logger = logger })
}

// WithEchoToday sends clients of today their own messages back, as some deployed servers do. Default: no.
func WithEchoToday() Option {
	return option(func(cfg *config) { cfg.echoToday = true })
}

// WithQueue bounds the answers that wait to be sent on one stream: receipts, answers to joins and heartbeats, ACKs. The
// messages of rooms wait in the rooms' logs. A stream whose queue is full is ended with RESOURCE_EXHAUSTED: its client sends and
// does not read. Default: 4,096 answers, 8 MiB.
func WithQueue(answers, bytes int) Option {
	return option(func(cfg *config) { cfg.queueFrames, cfg.queueBytes = answers, bytes })
}

// WithLog tells where the rooms' logs are kept. The server does not close the engine. Default: a roomlog.Memory of the server's
// own with its default retention, which ends with the process.
func WithLog(engine roomlog.Engine) Option {
	return option(func(cfg *config) { cfg.engine = engine })
}

// minWindow lets a few small messages be in flight.
const minWindow = 1 << 10

// WithWindow bounds what may be in flight to one reader of one room beyond what it has handled, in bytes of encoded
// messages, at least 1 KiB; a client may ask for less. One message is always allowed. What does not fit waits in the room's log.
// Clients without the handshake have no window. Default: 256 KiB.
func WithWindow(bytes int) Option {
	return option(func(cfg *config) { cfg.window = bytes })
}

// WithMaxMessageBytes bounds one encoded message as its readers get it; a larger one is refused. At most 4 MiB, because
// gRPC clients by default receive no more. Default: 1 MiB.
func WithMaxMessageBytes(bytes int) Option {
	return option(func(cfg *config) { cfg.maxMessage = bytes })
}

// WithMaxAudioBytes bounds one uploaded audio. Default: 64 MiB.
func WithMaxAudioBytes(bytes int64) Option {
	return option(func(cfg *config) { cfg.maxAudio = bytes })
}

// WithMaxRooms bounds the rooms that one stream is in. Default: 1,000.
func WithMaxRooms(rooms int) Option {
	return option(func(cfg *config) { cfg.maxRooms = rooms })
}

// WithHeartbeat tells clients that know the handshake how often to send a heartbeat at least, and how much silence beyond
// that ends the stream. A client may ask for less of either, not for more. Default: 10 s, 5 s.
func WithHeartbeat(interval, timeout time.Duration) Option {
	return option(func(cfg *config) { cfg.heartbeat, cfg.heartbeatWait = interval, timeout })
}

// WithSilenceTimeout tells after how much silence a client of today is dropped. They send heartbeats every 30 to 120 s.
// Default: 300 s.
func WithSilenceTimeout(timeout time.Duration) Option {
	return option(func(cfg *config) { cfg.silence = timeout })
}

// WithFirstMessageTimeout tells how long a stream without a user in its metadata may take to send its first message,
// which names the user. Deployed clients may say nothing for 120 s, until their first heartbeat. Default: 300 s.
func WithFirstMessageTimeout(timeout time.Duration) Option {
	return option(func(cfg *config) { cfg.firstMessage = timeout })
}

// WithOnDrain is called at the start of [Server.Drain], with its context: this is where the server is taken out of service
// discovery, and out of gRPC's own health service. Default: nothing.
func WithOnDrain(onDrain func(ctx context.Context) error) Option {
	return option(func(cfg *config) { cfg.onDrain = onDrain })
}

const maxDrainSpread = time.Hour

// WithDrainSpread tells over how long a time the clients leave when the server drains, so that the other servers do not get
// all of them at once. At most an hour; 0: all at once. Default: 5 s.
func WithDrainSpread(spread time.Duration) Option {
	return option(func(cfg *config) { cfg.drainSpread = spread })
}
