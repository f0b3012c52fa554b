package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refuse makes the reason why something is refused: a gRPC code and a text for a person.
func refuse(code codes.Code, format string, args ...any) error {
	return status.Errorf(code, format, args...)
}

// asStatus gives err a gRPC code if it has none.
func asStatus(err error, otherwise codes.Code) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err).Err()
	}
	return status.Error(otherwise, err.Error())
}

// refusalOf is an error as a receipt carries it.
func refusalOf(err error) *imsdkv1.Refusal {
	typed, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		st := status.Convert(err)
		return &imsdkv1.Refusal{Code: int32(st.Code()), Message: shorten(st.Message())}
	}
	text := *typed
	text.Violations = nil // they go beside the text
	refusal := &imsdkv1.Refusal{Code: int32(typed.Code), Message: shorten(text.Error())}
	for _, violation := range typed.Violations[:min(len(typed.Violations), maxViolations)] {
		refusal.Violations = append(refusal.Violations,
			&imsdkv1.Violation{Path: shorten(violation.Path), Reason: shorten(violation.Reason)})
	}
	return refusal
}

// A refusal has no more violations than this, and none of its texts more bytes: a client has to be able to receive it.
const (
	maxViolations   = 32
	maxRefusalBytes = 1 << 10
)

func shorten(text string) string {
	if len(text) <= maxRefusalBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxRefusalBytes], "") + "…"
}

// guard calls a function of the operator and turns a panic into an INTERNAL error.
func (s *Server) guard(what string, call func()) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.counts.panics.Add(1)
			s.log.Error("the "+what+" panicked", slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			err = refuse(codes.Internal, "the server's %s failed", what)
		}
	}()
	call()
	return nil
}
