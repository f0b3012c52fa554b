package runtime_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime"
)

func TestSendInterceptorsRunInOrder(t *testing.T) {
	t.Parallel()
	var steps []string
	interceptor := func(name string) runtime.SendInterceptor {
		return func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
			steps = append(steps, name+" before")
			out.RoomID += name
			receipt, err := next(ctx, out)
			steps = append(steps, name+" after")
			receipt.MessageID += name
			return receipt, err
		}
	}
	send := runtime.ChainSend(
		[]runtime.SendInterceptor{interceptor("a"), interceptor("b")},
		func(_ context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
			steps = append(steps, "send to "+out.RoomID)
			return &runtime.Receipt{MessageID: "m"}, nil
		},
	)
	receipt, err := send(t.Context(), &runtime.Outgoing{RoomID: "r"})
	if err != nil || receipt.MessageID != "mba" {
		t.Errorf("got %+v, %v", receipt, err)
	}
	if want := []string{"a before", "b before", "send to rab", "b after", "a after"}; !slices.Equal(steps, want) {
		t.Errorf("got  %q\nwant %q", steps, want)
	}
}

func TestReceiveInterceptorsRunInOrder(t *testing.T) {
	t.Parallel()
	var steps []string
	interceptor := func(name string) runtime.ReceiveInterceptor {
		return func(ctx context.Context, in *runtime.Incoming, next runtime.ReceiveFunc) error {
			steps = append(steps, name+" before")
			in.RoomID += name
			err := next(ctx, in)
			steps = append(steps, name+" after")
			return errors.Join(err, errors.New(name))
		}
	}
	handle := runtime.ChainReceive(
		[]runtime.ReceiveInterceptor{interceptor("a"), interceptor("b")},
		func(_ context.Context, in *runtime.Incoming) error {
			steps = append(steps, "handle in "+in.RoomID)
			return nil
		},
	)
	in := &runtime.Incoming{Envelope: runtime.Envelope{RoomID: "r"}}
	wantError(t, handle(t.Context(), in), "b\na")
	if want := []string{"a before", "b before", "handle in rab", "b after", "a after"}; !slices.Equal(steps, want) {
		t.Errorf("got  %q\nwant %q", steps, want)
	}
}

func TestAnInterceptorThatDoesNotGoOnEndsTheSend(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	send := runtime.ChainSend(
		[]runtime.SendInterceptor{
			func(context.Context, *runtime.Outgoing, runtime.SendFunc) (*runtime.Receipt, error) {
				return nil, refused
			},
		},
		func(context.Context, *runtime.Outgoing) (*runtime.Receipt, error) {
			t.Error("the message was sent")
			return &runtime.Receipt{}, nil
		},
	)
	if _, err := send(t.Context(), &runtime.Outgoing{}); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestAChainWithoutInterceptorsIsTheFunctionItself(t *testing.T) {
	t.Parallel()
	called := 0
	_, _ = runtime.ChainSend(nil, func(context.Context, *runtime.Outgoing) (*runtime.Receipt, error) {
		called++
		return &runtime.Receipt{}, nil
	})(t.Context(), nil)
	_ = runtime.ChainReceive(nil, func(context.Context, *runtime.Incoming) error {
		called++
		return nil
	})(t.Context(), nil)
	if called != 2 {
		t.Errorf("%d of 2 functions were called", called)
	}
}
