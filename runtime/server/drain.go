package server

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
)

// drainGrace is how long clients that were told to go may take beyond the spread: 2 s for what they have sent to be decided,
// and as much again to read what is queued for them.
const drainGrace = 4 * time.Second

// Drain takes the server out of service and loses nothing of what it was sent. In this order:
//
//  1. HealthCheck says NOT_SERVING, and new streams are refused with UNAVAILABLE.
//  2. The function of [WithOnDrain] is called: it deregisters the server, and sets gRPC's own health service.
//  3. Clients that know GO_AWAY are told to go within the spread ([WithDrainSpread]); beside that, grpcServer.GracefulStop
//     begins, so that their next stream takes another connection, and so another server.
//  4. Each other client's stream is ended with UNAVAILABLE at a random moment of the spread.
//  5. What is left 4 s after the spread is ended, as [Server.Close] does.
//
// It returns as soon as all streams have ended and grpcServer has stopped. If ctx is done before, it cuts the rest short,
// unary calls included, and returns the context's cause; so it does with the error of the function of WithOnDrain, at its end.
// It is called once, and Close need not be called after it.
func (s *Server) Drain(ctx context.Context, grpcServer *grpc.Server) error {
	streams, empty := s.streams.drain()
	var failed error
	if s.config.onDrain != nil {
		panicked := s.guard("drain function", func() { failed = s.config.onDrain(ctx) })
		if panicked != nil {
			failed = panicked
		}
	}
	others := s.tellGoAway(streams)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		grpcServer.GracefulStop()
	}()
	s.endSpread(ctx, others, empty)
	await(ctx, empty, drainGrace)
	s.Close()
	await(ctx, stopped, -1)
	if ctx.Err() != nil {
		grpcServer.Stop()
		<-stopped
		failed = context.Cause(ctx)
	}
	return failed
}

// tellGoAway queues GO_AWAY for the streams that know it, and gives the others.
func (s *Server) tellGoAway(streams []*stream) (others []*stream) {
	for _, st := range streams {
		if !st.contract.goAway {
			others = append(others, st)
			continue
		}
		st.putControl(imv1.MessageType_MESSAGE_TYPE_GO_AWAY, &imv1.MessageResponse{},
			&imsdkv1.GoAway{Spread: durationpb.New(s.config.drainSpread), Reason: "the server is about to stop"})
	}
	return others
}

// endSpread ends streams, each at a random moment of the spread, and returns at its end or when all streams have ended.
func (s *Server) endSpread(ctx context.Context, streams []*stream, empty <-chan struct{}) {
	begin, spread := time.Now(), s.config.drainSpread
	moments := make([]time.Duration, len(streams))
	for i := range streams {
		moments[i] = rand.N(spread + 1) //nolint:gosec // nothing secret: it only has to spread
	}
	slices.Sort(moments)
	for i, st := range streams {
		if !await(ctx, empty, max(0, moments[i]-time.Since(begin))) {
			return
		}
		st.end(errClosing)
	}
	await(ctx, empty, max(0, spread-time.Since(begin)))
}

// await waits for done or, if it is not negative, for a time. False: ctx was first.
func await(ctx context.Context, done <-chan struct{}, d time.Duration) bool {
	var over <-chan time.Time
	switch {
	case d == 0:
		return ctx.Err() == nil
	case d > 0:
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-done:
		return true
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}
