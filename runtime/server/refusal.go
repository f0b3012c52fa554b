package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

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
		return &imsdkv1.Refusal{Code: int32(st.Code()), Message: st.Message()}
	}
	text := *typed
	text.Violations = nil // they go beside the text
	refusal := &imsdkv1.Refusal{Code: int32(typed.Code), Message: text.Error()}
	for _, violation := range typed.Violations {
		refusal.Violations = append(refusal.Violations,
			&imsdkv1.Violation{Path: violation.Path, Reason: violation.Reason})
	}
	return refusal
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
