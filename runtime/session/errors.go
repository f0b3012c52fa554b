package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// What a call meets that comes at the wrong time. Test for them with errors.Is.
var (
	// ErrNotConnected: Connect was never called, or has failed.
	ErrNotConnected = errors.New("the session is not connected: call Connect first")
	// ErrAlreadyConnected: Connect was called before, or Register comes after it.
	ErrAlreadyConnected = errors.New("the session is connected already")
	// ErrClosed: Close was called, or the tries to reconnect are used up; Err then tells why.
	ErrClosed = errors.New("the session is closed")
	// ErrMaybeDelivered: the message was handed to a stream, and the session or the caller gave it up before the server
	// had said what became of it. It may have been delivered, or may still be. Every error of a send is this one, or
	// the message was certainly not delivered.
	ErrMaybeDelivered = errors.New("the message may have been delivered, or not")
	// ErrNotDelivered: the send was given up before any stream had taken the message, which was certainly not
	// delivered. The error wraps the reason too: that of the context, ErrClosed, …. What the server refuses, or what is
	// wrong with a message, is certain as well and has errors of its own.
	ErrNotDelivered = errors.New("the message was not delivered")
	// ErrOutboxFull: too many sends wait for their receipts (WithOutbox), and WithOutboxNoWait asks not to wait. The
	// message was not delivered.
	ErrOutboxFull = errors.New("the outbox is full: too many sends wait for their receipts")
)

// rpcError is a gRPC error that reads without gRPC's prefix.
type rpcError struct{ err error }

func (e rpcError) Error() string {
	st := status.Convert(e.err)
	return st.Code().String() + ": " + st.Message()
}

func (e rpcError) Unwrap() error { return e.err }

// callError makes the session's error of what a gRPC call, or the wait for a stream, returned. What ended ctx explains
// more than what gRPC makes of it.
func (s *Session) callError(ctx context.Context, op, room string, err error) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done() // the server knows the deadline too, and may have been first by a hair
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if typed, ok := errors.AsType[*runtime.Error](err); ok {
		return withOp(op, room, typed)
	}
	e := &runtime.Error{Op: op, RoomID: room, Code: stateCode(err), Err: err}
	if _, ok := status.FromError(err); ok {
		e.Err = rpcError{err}
	}
	return e
}

// withOp fills in what a typed error does not say. A nil error stays nil.
func withOp(op, room string, err error) error {
	typed, ok := err.(*runtime.Error) //nolint:errorlint // wrapped ones say it themselves
	if !ok {
		return err
	}
	filled := *typed
	filled.Op, filled.RoomID = op, room
	return &filled
}

// garbled is for an answer that does not parse.
func garbled(op, room string, err error) error {
	return &runtime.Error{Op: op, RoomID: room, Code: codes.Internal, Message: "the answer does not parse", Err: err}
}

// statusError makes an error of the status inside a unary answer, nil for a success. Numbers that are no gRPC codes
// are the service's own.
func statusError(op, room string, st *imv1.ResponseStatus) error {
	number := st.GetCode()
	switch {
	case number == 0, number >= 200 && number <= 299:
		return nil
	case number >= 1 && number <= 16:
		code := codes.Code(number)
		return &runtime.Error{Op: op, RoomID: room, Code: code, Message: joinText(code.String(), st.GetMessage())}
	default:
		return &runtime.Error{
			Op: op, RoomID: room, Code: codes.Unknown,
			Message: joinText(fmt.Sprintf("the service's error %d", number), st.GetMessage()),
		}
	}
}

func joinText(what, detail string) string {
	if detail == "" {
		return what
	}
	return what + ": " + detail
}

// invalid is the error for a call that is wrong before anything is sent.
func invalid(op, room, message string) error {
	return &runtime.Error{Op: op, RoomID: room, Code: codes.InvalidArgument, Message: message}
}

// explainConnect adds what a person should look at to what gRPC says about a connection. A connection that breaks off while it is
// made says nothing of a server that was reached before: it is restarting.
func explainConnect(text string, before bool) string {
	switch {
	case strings.Contains(text, "connection refused"):
		return "nothing listens there: check host and port, and that the server runs"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "the server speaks plaintext: leave out session.WithTransportCredentials, or use its TLS port"
	case strings.Contains(text, "x509:"), strings.Contains(text, "authentication handshake failed"):
		return "TLS failed: check the certificate's names, who signed it and its dates"
	case strings.Contains(text, "no such host"), strings.Contains(text, "name resolver"),
		strings.Contains(text, "no children to pick from"): // what round_robin says of a name without addresses
		return "the name does not resolve: check the host in the target"
	case before:
		return ""
	case strings.Contains(text, "server preface"), strings.Contains(text, "frame"), strings.Contains(text, "EOF"),
		strings.Contains(text, "broken pipe"), strings.Contains(text, "connection reset"):
		return "what listens there does not speak gRPC in plaintext: " +
			"check the port; for TLS, give session.WithTransportCredentials"
	default:
		return ""
	}
}
