package runtime_test

import (
	"context"
	"fmt"
	"strings"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// An interceptor that changes what is sent, and one that sees the result of every send.
func ExampleSendInterceptor() {
	trim := func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
		if text, ok := out.Content.(*imv1.TextContent); ok {
			out.Content = &imv1.TextContent{Text: strings.TrimSpace(text.GetText())} // a copy: the content is the caller's
		}
		return next(ctx, out)
	}
	report := func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
		receipt, err := next(ctx, out)
		if err != nil {
			fmt.Printf("%s was not sent: %v\n", out.Kind, err)
			return nil, err
		}
		fmt.Printf("%s was sent as %s\n", out.Kind, receipt.MessageID)
		return receipt, nil
	}
	// A session calls the interceptors of its options in this way.
	send := runtime.ChainSend([]runtime.SendInterceptor{report, trim},
		func(_ context.Context, out *runtime.Outgoing) (*runtime.Receipt, error) {
			raw, err := out.Encode()
			if err != nil {
				return nil, err
			}
			fmt.Printf("on the stream: %q\n", raw)
			return &runtime.Receipt{MessageID: "m1"}, nil
		})

	for _, text := range []string{" hello ", "   "} {
		_, _ = send(context.Background(), &runtime.Outgoing{
			RoomID: "room001", Kind: &textKind().Kind, Content: &imv1.TextContent{Text: text},
		})
	}
	// Output:
	// on the stream: "hello"
	// Text (1) was sent as m1
	// Text (1) was not sent: Text: invalid content: text: value length must be between 1 and 65536 bytes, inclusive
}

// Violations says what is wrong with a content, so that a user can be shown it field by field.
func ExampleViolations() {
	err := textKind().Check(&imv1.TextContent{})
	for _, violation := range runtime.Violations(err) {
		fmt.Println("field: ", violation.Path)
		fmt.Println("reason:", violation.Reason)
	}
	// Output:
	// field:  text
	// reason: value length must be between 1 and 65536 bytes, inclusive
}
