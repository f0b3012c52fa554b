package session

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/rules"
)

// SendUnary sends a message with the SendMessage call: for callers without a stream, and it works before Connect too.
// It is tried once, under an id of its own unless out has one, and does not pass the outbox. Where an error leaves open whether
// the server has it (Unavailable, DeadlineExceeded, …) it is [ErrMaybeDelivered] too; send it again under the same id then.
// out.Raw is sent if out.Kind is nil. It passes the interceptors and the send limit as [Session.Send]
// does. Appended tells that the server gave the message a place in its log; one of today
// does not.
func (s *Session) SendUnary(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
	const op = "send unary"
	if out == nil {
		return nil, invalid(op, "", "the message is nil")
	}
	if err := s.notClosed(); err != nil {
		return nil, inSendState(op, out, err)
	}
	if out.ID == "" {
		out.ID = s.nextID()
	}
	return runtime.ChainSend(s.config.sending.interceptors,
		func(ctx context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
			raw, err := s.prepare(ctx, op, out)
			if err != nil {
				return nil, err
			}
			request := &imv1.SendMessageRequest{
				UserId: s.config.user, RoomId: out.RoomID, Type: imv1.MessageType(out.Type), Content: raw,
				Metadata: out.Metadata, AckRequired: out.AckRequired, MessageId: out.ID,
			}
			if err := s.rules.check(request); err != nil {
				return nil, inSend(op, out, err)
			}
			return s.sendMessage(ctx, op, out, request)
		})(ctx, out)
}

func (s *Session) sendMessage(
	ctx context.Context, op string, out *runtime.Outgoing, request *imv1.SendMessageRequest,
) (*runtime.Receipt, error) {
	ctx, cancel := s.requestContext(ctx)
	defer cancel()
	defer s.unary.begin(out.RoomID)()
	response, err := s.client.SendMessage(s.identify(ctx), request)
	if err := s.outcome(ctx, op, out.RoomID, response.GetStatus(), err); err != nil {
		s.prepareNext(err)
		return nil, unaryError(inSend(op, out, err))
	}
	s.counters.sent.Add(1)
	s.outbox.remember(response.GetMessageId())
	receipt := &runtime.Receipt{
		MessageID: out.ID, RoomID: out.RoomID, Appended: response.GetSeq() > 0,
		Seq: response.GetSeq(), Epoch: response.GetEpoch(), Duplicate: response.GetDuplicate(),
	}
	if id := response.GetMessageId(); id != "" {
		receipt.MessageID = id
	}
	if response.GetTimestamp() != nil {
		receipt.Time = response.GetTimestamp().AsTime()
	}
	return receipt, nil
}

// unaryError says so where a call's error leaves open what became of the message: it got no answer, or one that the server
// may have been about to take back.
func unaryError(err error) error {
	typed, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		return err
	}
	switch typed.Code {
	case codes.Canceled, codes.Unknown, codes.DeadlineExceeded, codes.Aborted, codes.Internal, codes.Unavailable, codes.DataLoss:
		unsure := *typed
		unsure.Err = ErrMaybeDelivered
		if typed.Err != nil {
			unsure.Err = fmt.Errorf("%w: %w", ErrMaybeDelivered, typed.Err)
		}
		return &unsure
	default:
		return err
	}
}

// GetRoomInfo tells what a room is and who is in it.
func (s *Session) GetRoomInfo(ctx context.Context, roomID string) (*imv1.GetRoomInfoResponse, error) {
	const op = "get room info"
	request := &imv1.GetRoomInfoRequest{RoomId: roomID, UserId: s.config.user}
	if err := s.begin(op, roomID, request); err != nil {
		return nil, err
	}
	ctx, cancel := s.requestContext(ctx)
	defer cancel()
	response, err := s.client.GetRoomInfo(s.identify(ctx), request)
	if err := s.outcome(ctx, op, roomID, response.GetStatus(), err); err != nil {
		return nil, err
	}
	return response, nil
}

// GetAudioTranscript tells what is said in an audio, or how far the transcript is: see its status. A server that makes no
// transcripts answers with an error that says so.
func (s *Session) GetAudioTranscript(ctx context.Context, audioID string) (*imv1.Transcription, error) {
	const op = "get audio transcript"
	request := &imv1.TranscriptRequest{AudioId: audioID, UserId: s.config.user}
	if err := s.begin(op, "", request); err != nil {
		return nil, err
	}
	ctx, cancel := s.requestContext(ctx)
	defer cancel()
	response, err := s.client.GetAudioTranscript(s.identify(ctx), request)
	if err := s.outcome(ctx, op, "", response.GetStatus(), err); err != nil {
		return nil, err
	}
	return response.GetTranscription(), nil
}

// HealthCheck asks whether a service works; empty asks for the whole server. It works before Connect too. A server that
// does not serve is no error: see the answer's status.
func (s *Session) HealthCheck(ctx context.Context, service string) (*imv1.HealthCheckResponse, error) {
	const op = "health check"
	if err := s.notClosed(); err != nil {
		return nil, s.callError(ctx, op, "", err)
	}
	request := &imv1.HealthCheckRequest{Service: service}
	if err := s.rules.check(request); err != nil {
		return nil, withOp(op, "", err)
	}
	ctx, cancel := s.requestContext(ctx)
	defer cancel()
	response, err := s.client.HealthCheck(s.identify(ctx), request)
	if err != nil {
		err = s.callError(ctx, op, "", err)
		s.prepareNext(err)
		return nil, err
	}
	return response, nil
}

// prepareNext lets a connection of the session's own dial again after a call that found it down, where no stream is
// there to see to that: the next call may then find it up.
func (s *Session) prepareNext(err error) {
	if s.owned && s.State() == StateIdle && status.Code(err) == codes.Unavailable {
		s.redial()
	}
}

// requestRules are those of the requests that the session sends.
type requestRules struct {
	send, join, leave, info, transcript, health, audio rules.Rules
}

func newRequestRules() *requestRules {
	return &requestRules{
		send:       rules.Of((*imv1.SendMessageRequest).ValidateAll),
		join:       rules.Of((*imv1.JoinRoomRequest).ValidateAll),
		leave:      rules.Of((*imv1.LeaveRoomRequest).ValidateAll),
		info:       rules.Of((*imv1.GetRoomInfoRequest).ValidateAll),
		transcript: rules.Of((*imv1.TranscriptRequest).ValidateAll),
		health:     rules.Of((*imv1.HealthCheckRequest).ValidateAll),
		audio:      rules.Of((*imv1.AudioMetadata).ValidateAll),
	}
}

// check finds the rules of a request, and that protobuf can encode it.
func (r *requestRules) check(request proto.Message) error {
	var of rules.Rules
	switch request.(type) {
	case *imv1.SendMessageRequest:
		of = r.send
	case *imv1.JoinRoomRequest:
		of = r.join
	case *imv1.LeaveRoomRequest:
		of = r.leave
	case *imv1.GetRoomInfoRequest:
		of = r.info
	case *imv1.TranscriptRequest:
		of = r.transcript
	case *imv1.HealthCheckRequest:
		of = r.health
	case *imv1.AudioMetadata:
		of = r.audio
	default:
		return fmt.Errorf("there are no rules for %T", request)
	}
	if err := of.Check(request); err != nil {
		return err
	}
	if _, err := proto.Marshal(request); err != nil {
		return &runtime.Error{Code: codes.InvalidArgument, Message: "the request cannot be encoded", Err: err}
	}
	return nil
}

// begin checks the session's state and a request before a call that needs a session which was connected.
func (s *Session) begin(op, room string, request proto.Message) error {
	if err := s.usable(); err != nil {
		return &runtime.Error{Op: op, RoomID: room, Code: stateCode(err), Err: err}
	}
	return withOp(op, room, s.rules.check(request))
}

// requestContext bounds a call by the request timeout and the session's life.
func (s *Session) requestContext(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := s.config.timing.request
	bounded, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("no answer within the request timeout of %s: %w", timeout, context.DeadlineExceeded))
	merged, cancelMerged := context.WithCancelCause(bounded)
	stop := s.onClose(func() { cancelMerged(s.closedError()) })
	return merged, func() {
		stop()
		cancelMerged(nil)
		cancel()
	}
}

// identify puts the user into a unary call's metadata, as it is in the stream's.
func (s *Session) identify(ctx context.Context) context.Context {
	if !fitsHeader(s.config.user) {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, keyUser, s.config.user)
}

// outcome is the error of a unary call: of the call itself, or of the status inside its answer.
func (s *Session) outcome(ctx context.Context, op, room string, st *imv1.ResponseStatus, err error) error {
	if err != nil {
		return s.callError(ctx, op, room, err)
	}
	return statusError(op, room, st)
}
