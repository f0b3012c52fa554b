package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/heartbeat"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// stream is one StreamMessages call. Three goroutines work on it: the call's own handles what comes in, one receives, one
// sends. The fields above mu are set before the stream is in a room and do not change after that.
type stream struct {
	srv    *Server
	rpc    grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]
	ctx    context.Context //nolint:containedctx // the call's; done when the stream has ended, with the reason as its cause
	cancel context.CancelCauseFunc

	key            sessionKey
	origin         uint64 // names the session in logs
	wireSession    uint64 // the session id that others see; 0: a client of today
	number         uint32 // of the session's streams, this one
	contract       contract
	agent          string        // Hello's
	kindsHash      uint64        // Hello's; 0: not told
	interval, wait time.Duration // the client's heartbeats
	silence        time.Duration // ends the stream
	window         int           // bytes of a room that may be in flight; 0: no bound
	resumes        []*imsdkv1.ResumeRoom

	watch    *heartbeat.Watchdog
	incoming chan received // unbuffered: what is received and not handled is one message
	out      *outbox
	sent     chan struct{} // closed when the sender has ended
	left     chan struct{} // closed when the stream has left its rooms and its session

	decided map[string]uint64 // the last send number decided in each room; for the handling goroutine alone

	mu    sync.Mutex
	gone  bool             // joins no more
	rooms map[string]*room // that it is in
}

type received struct {
	request *imv1.MessageRequest
	err     error
}

// StreamMessages serves one stream; gRPC calls it.
func (s *Server) StreamMessages(rpc grpc.BidiStreamingServer[imv1.MessageRequest, imv1.MessageResponse]) error {
	s.serve()
	ctx, cancel := context.WithCancelCause(rpc.Context())
	defer cancel(nil)
	st := &stream{
		srv: s, rpc: rpc, ctx: ctx, cancel: cancel,
		incoming: make(chan received),
		out:      newOutbox(s.config.queueFrames, s.config.queueBytes),
		sent:     make(chan struct{}),
		left:     make(chan struct{}),
		rooms:    make(map[string]*room),
		decided:  make(map[string]uint64),
	}
	st.shakeHands(st.ctx)
	if !s.streams.add(st) {
		return errClosing
	}
	defer s.streams.remove(st)
	err := st.run()
	s.log.Debug("stream ended", slog.String("user", st.key.user), slog.Any("reason", err))
	return err
}

// end ends the stream; the first reason counts. It waits for nothing and may be called from anywhere, under any lock.
func (st *stream) end(reason error) { st.cancel(reason) }

// reason is why the stream has ended.
func (st *stream) reason() error {
	return asStatus(context.Cause(st.ctx), codes.Unavailable)
}

func (st *stream) run() error {
	user, err := st.srv.callerOf(st.ctx, "")
	if err != nil {
		return err
	}
	defer close(st.left)
	defer st.leaveAll(reasonDisconnected)
	var states []*imsdkv1.RoomState
	if user != "" {
		if states, err = st.open(user, firstValue(st.ctx, roomKey), metadataOf(st.ctx)); err != nil {
			return err
		}
	}
	st.srv.log.Debug("stream opened", slog.String("user", user), slog.Bool("handshake", st.contract.known),
		slog.String("agent", st.agent))
	header, err := st.header(states)
	if err != nil {
		return err
	}
	if err := st.rpc.SendHeader(header); err != nil { // before the first Recv: a client may wait for it
		return err
	}
	st.watch = heartbeat.NewWatchdog(st.silence, st.silent)
	defer st.watch.Stop()
	st.srv.streams.running.Go(st.receiveAll)
	st.srv.streams.running.Go(st.sendAll)
	if user == "" {
		return st.learnUser()
	}
	return st.handleAll()
}

// open makes the stream its user's and joins its rooms. The stream of the same session that was live until now is ended,
// and waited for, after the joins: so the user is in the rooms all the time, and what the old stream had read is decided
// before what this one reads.
func (st *stream) open(user, roomID string, metadata map[string]string) ([]*imsdkv1.RoomState, error) {
	st.key.user = user
	st.origin = originOf(st.key)
	before, ok := st.srv.sessions.claim(st)
	if !ok {
		return nil, refuse(codes.Aborted, "stream %d of this session is newer than stream %d", before.number, st.number)
	}
	states, err := st.joinAtStart(roomID, metadata)
	if before != nil {
		before.end(refuse(codes.Aborted, "stream %d of the same session has taken over", st.number))
		<-before.left // even if this one has ended meanwhile: a third one waits only for this one
		if st.ctx.Err() != nil {
			return nil, st.reason()
		}
	}
	return states, err
}

// learnUser is for streams whose metadata name no user: the first message does. Then it handles the rest.
func (st *stream) learnUser() error {
	timeout := time.NewTimer(st.srv.config.firstMessage)
	defer timeout.Stop()
	var first received
	select {
	case first = <-st.incoming:
	case <-st.ctx.Done():
		return st.reason()
	case <-timeout.C:
		return refuse(codes.InvalidArgument, "no user for %s: %s", st.srv.config.firstMessage, howToNameUser)
	}
	if first.err != nil {
		return st.finish(first.err)
	}
	if err := st.srv.rules.envelope.Check(first.request); err != nil {
		return err
	}
	if first.request.GetUserId() == "" {
		return refuse(codes.InvalidArgument, "the first message names no user: %s", howToNameUser)
	}
	roomID := first.request.GetRoomId()
	if named := firstValue(st.ctx, roomKey); named != "" {
		roomID = named
	}
	if _, err := st.open(first.request.GetUserId(), roomID, first.request.GetMetadata()); err != nil {
		return err
	}
	st.handle(first.request)
	return st.handleAll()
}

const howToNameUser = "send the metadata user-id and room-id, or a first message (a HEARTBEAT will do) with user_id and room_id"

// handleAll handles what comes in until the stream ends.
func (st *stream) handleAll() error {
	for {
		select {
		case <-st.ctx.Done():
			return st.reason()
		case next := <-st.incoming:
			if st.ctx.Err() != nil {
				return st.reason()
			}
			if next.err != nil {
				return st.finish(next.err)
			}
			st.handle(next.request)
		}
	}
}

// finish is the end of receiving. If the client has only closed its side, what is queued for it still goes out.
func (st *stream) finish(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	st.out.close()
	st.leaveAll(reasonLeft)
	select {
	case <-st.sent:
		return nil
	case <-st.ctx.Done():
		return st.reason()
	}
}

// receiveAll hands on what arrives. It ends with the call: gRPC then ends Recv.
func (st *stream) receiveAll() {
	for {
		request, err := st.rpc.Recv()
		st.watch.Seen()
		if !st.handOn(received{request, err}) || err != nil {
			return
		}
	}
}

// handOn tells whether the stream goes on. While it waits for a hook, nothing is received, so silence proves nothing.
func (st *stream) handOn(next received) bool {
	select {
	case st.incoming <- next:
		return true
	default:
	}
	st.watch.Suspend()
	defer st.watch.Resume()
	select {
	case st.incoming <- next:
		return true
	case <-st.ctx.Done():
		return false
	}
}

// silent is what the watchdog calls.
func (st *stream) silent() {
	st.srv.counts.silent.Add(1)
	st.end(refuse(codes.Unavailable, "nothing was heard from this client for %s", st.silence))
}

// leaveAll takes the stream out of everything. It may be called twice; the first reason counts.
func (st *stream) leaveAll(reason string) {
	for _, r := range st.stopJoining() {
		st.srv.leave(st, r, reason)
	}
	st.srv.sessions.release(st)
}
