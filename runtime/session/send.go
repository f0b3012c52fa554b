package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

const opSend = "send"

// Send sends a message and waits for its receipt; generated code calls it. It may be called whenever the session is
// connecting, connected or reconnecting: the message waits in the outbox for a stream, and if that breaks before the
// receipt has come, it is sent again on the next one, and appended once. Sends of one goroutine arrive in order, those of
// several in the order in which the outbox takes them. When that is full (WithOutbox) Send waits for a place. ctx bounds
// it all. Against a server without receipts it returns once the stream has taken the message, with Appended false.
//
// Errors: either errors.Is(err, ErrMaybeDelivered), or the message was certainly not delivered. The latter are
// ErrNotDelivered, for a send that was given up before a stream had the message (ErrNotConnected, ErrClosed or the
// context's error are in it too); ErrOutboxFull; what is wrong with the message (InvalidArgument); the server's refusal.
// A send that is given up and may have been delivered takes those along that wait behind it in its room.
func (s *Session) Send(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	if err := s.readySend(out); err != nil {
		return nil, err
	}
	return runtime.ChainSend(s.config.sending.interceptors,
		func(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
			return s.sendStream(ctx, out, func() {})
		})(ctx, out)
}

// readySend gives a message its id, if the session takes any.
func (s *Session) readySend(out *runtime.Outgoing) error {
	if out == nil {
		return invalid(opSend, "", "the message is nil")
	}
	if err := s.usable(); err != nil {
		return notDelivered(out, stateCode(err), err)
	}
	if out.ID == "" {
		out.ID = s.nextID()
	}
	return nil
}

// SendRaw sends bytes as any kind number: of a kind that no generated package has, or of one whose bytes are at hand.
// The bytes are not validated. It waits and fails as [Session.Send] does.
func (s *Session) SendRaw(
	ctx context.Context, roomID string, kind int32, raw []byte, opts ...runtime.SendOption,
) (*runtime.Receipt, error) {
	return s.Send(ctx, (&runtime.Outgoing{RoomID: roomID, Type: kind, Raw: raw}).With(opts...))
}

// sendStream is behind the interceptors. It calls placed once the message has its place in the outbox.
func (s *Session) sendStream(ctx context.Context, out *runtime.Outgoing, placed func()) (*runtime.Receipt, error) {
	j, err := s.compose(ctx, out)
	if err != nil {
		return nil, err
	}
	decided := make(chan struct{})
	var receipt *runtime.Receipt
	j.result = func(r *runtime.Receipt, e error) {
		receipt, err = r, e
		close(decided)
	}
	wait, failed := s.enqueue(j)
	if failed != nil {
		return nil, failed
	}
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			s.outbox.giveUp(j, s.whyEnded(ctx))
		}
	}
	placed()
	select {
	case <-decided:
	case <-ctx.Done():
		s.outbox.giveUp(j, s.whyEnded(ctx))
		<-decided // a receipt may have been first
	}
	return receipt, err
}

// compose makes a job of a message: checks, encodes, and waits for the send limit.
func (s *Session) compose(ctx context.Context, out *runtime.Outgoing) (*job, error) {
	raw, err := s.prepare(ctx, opSend, out)
	if err != nil {
		return nil, err
	}
	request := &imv1.MessageRequest{
		MessageId: out.ID,
		UserId:    s.config.user,
		RoomId:    out.RoomID,
		Type:      imv1.MessageType(out.Type),
		Content:   raw,
		Metadata:  maps.Clone(out.Metadata), // the writer may still read it when the caller has given up
	}
	if out.Kind == nil || out.Kind.Encoding == runtime.EncodingRaw {
		request.Content = bytes.Clone(raw) // the same, and it is the caller's
	}
	kept := *out // so is out: an interceptor may change it and try again while a receipt is still to come
	kept.Content, kept.Raw, kept.Metadata = nil, nil, nil
	size := proto.Size(request)
	var known *contract
	if _, live, _ := s.machine.now(); live != nil {
		known = live.contract.Load()
	}
	if err := checkSize(&kept, size, known); err != nil {
		return nil, err
	}
	return newJob(ctx, &kept, request, size), nil
}

// enqueue puts a job into the outbox. From then on its result is told, and the reader may not stand still until then.
func (s *Session) enqueue(j *job) (wait <-chan struct{}, err error) {
	if j.ctx.Err() != nil {
		return nil, notDelivered(j.out, status.FromContextError(j.ctx.Err()).Code(), context.Cause(j.ctx))
	}
	end := s.awaited.begin()
	j.release = append(j.release, end)
	wait, err = s.outbox.put(j)
	switch {
	case err == nil:
		return wait, nil
	case errors.Is(err, ErrOutboxFull):
		err = &runtime.Error{
			Op: opSend, Code: codes.ResourceExhausted, Kind: kindName(j.out), RoomID: j.out.RoomID, MessageID: j.out.ID, Err: err,
		}
	default:
		err = notDelivered(j.out, stateCode(err), err)
	}
	end()
	return nil, err
}

// whyEnded says why a send's context ended, and what it waited for if that was a stream.
func (s *Session) whyEnded(ctx context.Context) error {
	if state, live, _ := s.machine.now(); live == nil {
		return fmt.Errorf("there was no stream, the session is %s: %w", state, context.Cause(ctx))
	}
	return context.Cause(ctx)
}

// prepare does what precedes the wire: checks, encodes, and waits for the send limit.
func (s *Session) prepare(ctx context.Context, op string, out *runtime.Outgoing) ([]byte, error) {
	if out.ID == "" { // an interceptor has emptied it
		out.ID = s.nextID()
	}
	if err := checkType(out.Type); err != nil {
		return nil, inSend(op, out, err)
	}
	if out.Kind != nil && out.Kind.Direction == runtime.DirectionServer {
		return nil, inSend(op, out, errors.New("only the server sends this kind"))
	}
	raw, err := out.Encode()
	if err != nil {
		return nil, inSend(op, out, err)
	}
	if err := checkEnvelope(out, raw); err != nil {
		return nil, inSend(op, out, err)
	}
	if err := s.waitLimit(ctx); err != nil {
		return nil, inSendState(op, out, fmt.Errorf("%w: %w", ErrNotDelivered, err))
	}
	return raw, nil
}

// waitLimit waits until the send limit lets a message pass, ctx is done or the session closes.
func (s *Session) waitLimit(ctx context.Context) error {
	limiter := s.config.sending.limiter
	if limiter == nil || limiter.Allow() {
		return nil
	}
	waitCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.onClose(cancel)()
	err := limiter.Wait(waitCtx)
	switch {
	case err == nil:
		return nil
	case s.ctx.Err() != nil:
		return s.closedError()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default: // the limiter knows that the deadline comes first
		return fmt.Errorf("the send limit does not let it pass in time: %w", context.DeadlineExceeded)
	}
}

// checkSize refuses what the server would end the stream for.
func checkSize(out *runtime.Outgoing, size int, c *contract) error {
	const overhead = 256 // numbers and timestamp, which come later
	limit := maxMessageBytes
	if told := c.maxMessageBytes(); told > 0 {
		limit = told
	}
	if size += overhead; size > limit {
		return inSend(opSend, out, fmt.Errorf("the message has %d bytes with all that goes along: "+
			"the server takes %d", size, limit))
	}
	return nil
}

// inSendState is the error of a send that was not tried, because of the session's state or the caller's context.
func inSendState(op string, out *runtime.Outgoing, err error) error {
	return &runtime.Error{
		Op: op, Code: stateCode(err), Kind: kindName(out), RoomID: out.RoomID, MessageID: out.ID, Err: err,
	}
}

// stateCode is the gRPC code of a sentinel or a context's error.
func stateCode(err error) codes.Code {
	switch {
	case errors.Is(err, ErrNotConnected), errors.Is(err, ErrAlreadyConnected):
		return codes.FailedPrecondition
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled):
		return codes.Canceled
	default:
		return status.Code(err)
	}
}

func notDelivered(out *runtime.Outgoing, code codes.Code, cause error) error {
	return &runtime.Error{
		Op: opSend, Code: code, Kind: kindName(out), RoomID: out.RoomID, MessageID: out.ID,
		Err: fmt.Errorf("%w: %w", ErrNotDelivered, cause),
	}
}

func maybeDelivered(out *runtime.Outgoing, code codes.Code, cause error) error {
	return &runtime.Error{
		Op: opSend, Code: code, Kind: kindName(out), RoomID: out.RoomID, MessageID: out.ID,
		Err: fmt.Errorf("%w: %w", ErrMaybeDelivered, cause),
	}
}

// nextID makes a message id: the session's, and a counter.
func (s *Session) nextID() string {
	id := make([]byte, 0, len(s.idPrefix)+20)
	id = append(id, s.idPrefix...)
	return string(strconv.AppendUint(id, s.messages.Add(1), 10))
}
