package session

import (
	"context"
	"sync/atomic"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// job is one try to send one message on one stream.
type job struct {
	ctx     context.Context //nolint:containedctx // the caller's; the writer takes no job whose caller has gone
	out     *runtime.Outgoing
	request *imv1.MessageRequest
	number  uint64 // its send number, 0 without receipts
	phase   atomic.Int32
	result  chan outcome // gets one, once the writer has begun
}

// outcome ends a job. again: nothing was sent, another stream may try.
type outcome struct {
	receipt *runtime.Receipt
	err     error
	again   bool
}

const (
	phaseWaiting int32 = iota
	phaseWriting
	phaseAbandoned
)

func newJob(ctx context.Context, out *runtime.Outgoing, request *imv1.MessageRequest) *job {
	return &job{ctx: ctx, out: out, request: request, result: make(chan outcome, 1)}
}

// begin is the writer's: it fails if the caller has gone.
func (j *job) begin() bool { return j.phase.CompareAndSwap(phaseWaiting, phaseWriting) }

// abandon is the caller's: it fails if the writer has begun, and then the message may arrive.
func (j *job) abandon() bool { return j.phase.CompareAndSwap(phaseWaiting, phaseAbandoned) }
