package session

import (
	"context"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// job is one try to send one message on one stream.
type job struct {
	ctx     context.Context //nolint:containedctx // the caller's; the writer sends nothing for one who has gone
	out     *runtime.Outgoing
	request *imv1.MessageRequest
	number  uint64       // its send number, 0 without receipts
	result  chan outcome // gets one, once the writer has the job
}

// outcome ends a job. again: nothing was sent, another stream may try.
type outcome struct {
	receipt *runtime.Receipt
	err     error
	again   bool
}

func newJob(ctx context.Context, out *runtime.Outgoing, request *imv1.MessageRequest) *job {
	return &job{ctx: ctx, out: out, request: request, result: make(chan outcome, 1)}
}
