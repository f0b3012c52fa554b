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

// Send sends a message on the stream and waits for its receipt; generated code calls it. Without a live stream it
// waits for one until ctx is done. Against a server without receipts it returns once the stream has taken the message,
// with Appended false.
//
// Errors: ErrNotConnected, ErrClosed; what is wrong with the message (InvalidArgument, nothing was sent); the server's
// refusal; ErrMaybeDelivered. Sends of one goroutine arrive in order; those of several in the order that the stream
// takes them.
func (s *Session) Send(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	if out == nil {
		return nil, invalid(opSend, "", "the message is nil")
	}
	if err := s.usable(); err != nil {
		return nil, inSendState(opSend, out, err)
	}
	if out.ID == "" {
		out.ID = s.nextID()
	}
	return runtime.ChainSend(s.config.sending.interceptors, s.sendStream)(ctx, out)
}

// SendRaw sends bytes as any kind number: of a kind that no generated package has, or of one whose bytes are at hand.
// The bytes are not validated. It waits and fails as [Session.Send] does.
func (s *Session) SendRaw(
	ctx context.Context, roomID string, kind int32, raw []byte, opts ...runtime.SendOption,
) (*runtime.Receipt, error) {
	return s.Send(ctx, (&runtime.Outgoing{RoomID: roomID, Type: kind, Raw: raw}).With(opts...))
}

// sendStream is behind the interceptors.
func (s *Session) sendStream(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
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
	var tried *stream
	for {
		st, err := s.live(ctx, tried)
		if err != nil {
			return nil, inSendState(opSend, out, err)
		}
		if err := checkSize(out, request, st); err != nil {
			return nil, err
		}
		result := s.try(st, newJob(ctx, &kept, request))
		if !result.again {
			return result.receipt, result.err
		}
		tried = st
	}
}

// try hands a job to a stream's writer and waits for its outcome.
func (s *Session) try(st *stream, j *job) outcome {
	if j.ctx.Err() != nil { // the select below might not see it
		return outcome{err: inSendState(opSend, j.out, context.Cause(j.ctx))}
	}
	defer s.awaited.begin()()
	select {
	case st.jobs <- j:
	case <-st.draining:
		return outcome{again: true}
	case <-st.ctx.Done():
		return outcome{again: true}
	case <-st.gone:
		return outcome{again: true}
	case <-s.closing:
		return outcome{err: inSendState(opSend, j.out, s.closedError())}
	case <-j.ctx.Done():
		return outcome{err: inSendState(opSend, j.out, context.Cause(j.ctx))}
	}
	select {
	case result := <-j.result:
		return result
	case <-j.ctx.Done():
		return outcome{err: maybeDelivered(j.out, status.FromContextError(j.ctx.Err()).Code(), context.Cause(j.ctx))}
	}
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
		return nil, inSendState(op, out, err)
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
func checkSize(out *runtime.Outgoing, request *imv1.MessageRequest, st *stream) error {
	const overhead = 256 // numbers and timestamp, which come later
	limit := maxMessageBytes
	if told := st.contract.Load().maxMessageBytes(); told > 0 {
		limit = told
	}
	if size := proto.Size(request) + overhead; size > limit {
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
