package runtime_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime"
)

func TestAPendingSendKeepsItsFirstResultForEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pending, resolve := runtime.NewPending()
		want := &runtime.Receipt{MessageID: "m1"}
		var waiting sync.WaitGroup
		check := func() {
			if receipt, err := pending.Wait(t.Context()); receipt != want || !errors.Is(err, io.EOF) {
				t.Errorf("got %+v, %v", receipt, err)
			}
		}
		for range 3 {
			waiting.Go(check)
		}
		synctest.Wait()
		if receipt, done, err := pending.Result(); receipt != nil || done || err != nil {
			t.Errorf("before the result: %+v, %t, %v", receipt, done, err)
		}
		resolve(want, io.EOF)
		resolve(nil, nil)
		waiting.Wait()
		<-pending.Done()
		check()
		if receipt, done, err := pending.Result(); receipt != want || !done || !errors.Is(err, io.EOF) {
			t.Errorf("the result: %+v, %t, %v", receipt, done, err)
		}
	})
}

func TestAWaitThatEndsLeavesThePendingSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pending, resolve := runtime.NewPending()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := pending.Wait(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("the wait: %v", err)
		}
		select {
		case <-pending.Done():
			t.Error("the wait ended the send")
		default:
		}
		resolve(&runtime.Receipt{MessageID: "m1"}, nil)
		for range 100 { // the result counts more than the context
			if receipt, err := pending.Wait(ctx); err != nil || receipt.MessageID != "m1" {
				t.Fatalf("the result: %+v, %v", receipt, err)
			}
		}
	})
}
