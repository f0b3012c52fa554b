package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/heartbeat"
)

// maxReceiveBytes is the largest envelope that the session takes: a content of 4 MiB, and room for what a server adds.
const maxReceiveBytes = 8 << 20

// firstBeat is the id of a stream's first heartbeat.
const firstBeat = "1"

// stream is one StreamMessages call. Three goroutines serve it: a reader, a writer, and one that waits for the header.
type stream struct {
	grpc   grpc.BidiStreamingClient[imv1.MessageRequest, imv1.MessageResponse]
	ctx    context.Context //nolint:containedctx // the call's own
	cancel context.CancelCauseFunc
	timing timing
	log    *slog.Logger
	number uint32
	named  []string // the rooms of its Hello
	asked  int      // the window that Hello asked for

	contract atomic.Pointer[contract]
	blind    atomic.Bool   // rooms were joined by calls: nothing said what their logs are
	header   chan struct{} // closed once the server's header is there
	headed   chan struct{} // closed once nobody waits for it any more
	pinger   *heartbeat.Pinger
	watch    watch
	rtt      *atomic.Int64

	control *controlQueue // heartbeats, joins, leaves: they die with the stream

	away  bool          // the server wants it to end; the reader's
	leave chan struct{} // closed when the writer is to close the session's half; why is set then
	why   error

	ready time.Time     // when it became the live stream
	live  chan struct{} // closed when it became that: it is in the session's rooms
	ended chan struct{} // closed when the reader has ended; err is set then
	err   error
	gone  chan struct{} // closed when the other goroutines have ended too
}

// openStream starts the call and its goroutines. The stream outlives ctx, which bounds the opening only.
func (s *Session) openStream(ctx context.Context) (*stream, error) {
	number := s.streams.Add(1)
	room := s.rooms.defaultRoom()
	streamCtx, cancel := context.WithCancelCause(s.ctx)
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer stop()
	hello := s.hello(number)
	callCtx, err := outgoing(streamCtx, s.config.user, room, hello)
	if err != nil {
		cancel(err)
		return nil, err
	}
	//nolint:contextcheck // the stream outlives ctx
	call, err := s.client.StreamMessages(callCtx, grpc.MaxCallRecvMsgSize(maxReceiveBytes))
	if err != nil {
		cancel(err)
		return nil, err
	}
	st := &stream{
		grpc: call, ctx: streamCtx, cancel: cancel, timing: s.config.timing,
		log:    s.config.log.With("stream", number),
		number: number, named: roomsOf(hello), asked: s.config.receiving.window,
		header: make(chan struct{}), headed: make(chan struct{}), rtt: &s.counters.rtt,
		control: newControlQueue(), leave: make(chan struct{}),
		live: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{}),
	}
	st.pinger = heartbeat.NewPinger(st.timing.heartbeatInterval, func(id string) {
		if id == firstBeat {
			st.control.put(s.heartbeat(id, room))
		} else {
			st.control.put(s.heartbeat(id, ""))
		}
	})
	st.pinger.Start()
	s.group.start(func() { defer close(st.headed); s.watchHeader(st) })
	s.group.start(func() { s.read(st) })
	s.group.start(func() { s.write(st); s.finish(st) })
	return st, nil
}

// roomsOf are the rooms that a Hello names.
func roomsOf(hello *imsdkv1.Hello) []string {
	names := make([]string, len(hello.GetRooms()))
	for i, room := range hello.GetRooms() {
		names[i] = room.GetCursor().GetRoomId()
	}
	return names
}

// read hands on what comes until the stream ends. The header comes before any message, and says what it means.
func (s *Session) read(st *stream) {
	defer close(st.ended)
	for {
		message, err := st.grpc.Recv()
		if err != nil {
			st.err = st.reason(err)
			break
		}
		st.watch.seen()
		select {
		case <-st.headed:
		case <-st.ctx.Done():
		}
		if st.ctx.Err() == nil || st.contract.Load() != nil { // else nobody knows what it means
			s.receive(st, message)
		}
	}
	st.pinger.Stop()
	st.watch.stop()
	st.cancel(st.err)
}

// finish closes gone once nothing of the stream runs any more: what it says cannot mix with what the next one says.
func (s *Session) finish(st *stream) {
	<-st.headed
	<-st.ended
	s.teller.detach(st)
	s.rooms.streamEnded(st.number)
	close(st.gone)
}

// reason says why the stream ended: what the session did itself explains more than what gRPC makes of it.
func (st *stream) reason(err error) error {
	if cause := context.Cause(st.ctx); cause != nil {
		if errors.Is(cause, errDead) {
			return &runtime.Error{Op: "stream", Code: codes.Unavailable, Err: cause}
		}
		return cause
	}
	if st.left() {
		return st.why
	}
	if errors.Is(err, io.EOF) {
		return &runtime.Error{Op: "stream", Code: codes.Unavailable, Message: "the server ended it"}
	}
	return &runtime.Error{Op: "stream", Code: status.Code(err), Err: rpcError{err}}
}

// dead ends a stream whose server is silent.
func (st *stream) dead() { st.cancel(errDead) }

// kill ends the stream and waits for its reader and writer.
func (st *stream) kill(cause error) {
	st.cancel(cause)
	<-st.gone
}

// heard takes the server's HEARTBEAT. From the first one on its silence means something.
func (st *stream) heard(id string) {
	if rtt, ok := st.pinger.Answered(id); ok {
		st.rtt.Store(int64(rtt))
	}
	st.watch.start(st.timing.heartbeatInterval+st.timing.heartbeatTimeout, st.dead)
}

// window is how many bytes of a room the server may have sent beyond its cursor; 0: there is no bound.
func (st *stream) window() int {
	if c := st.contract.Load(); c != nil {
		return c.window(st.asked)
	}
	return 0
}

// capabilities are what this stream has by now.
func (st *stream) capabilities() Capabilities { return st.contract.Load().known() }
