// Customkind is a chat with a kind of message of its own: polls. The server and its two users run in this process and
// talk over TCP; texts (package imv1sdk, the SDK's) and polls (package pollv1sdk, generated from this module's proto)
// share each user's session.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc/status"

	pollv1 "github.com/game-im/im-grpc-sdk/examples/customkind/gen/poll/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "customkind:", err)
		os.Exit(1)
	}
}

// run tells the story to out.
func run(ctx context.Context, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	host, err := startHost(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.stop()) }()
	ann, err := connect(ctx, host.address, "ann", out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ann.session.Close()) }()
	bob, err := connect(ctx, host.address, "bob", out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bob.session.Close()) }()

	if err := ann.text(ctx, "What shall we eat?"); err != nil {
		return err
	}
	bob.await(ctx)
	lunch := &pollv1.Poll{Question: "Where to?", Options: []string{"Noodles", "Pizza"}}
	if _, err := ann.polls.SendPoll(ctx, room, lunch); err != nil {
		return err
	}
	bob.await(ctx) // the poll
	ann.await(ctx) // bob's answer

	fmt.Fprintln(out, "ann sends a poll that breaks two rules")
	_, err = ann.polls.SendPoll(ctx, room, &pollv1.Poll{Options: []string{"Soup"}})
	for _, violation := range runtime.Violations(err) {
		fmt.Fprintln(out, "  nothing is sent:", violation)
	}
	fmt.Fprintln(out, "ann sends a poll that the server does not admit")
	_, err = ann.polls.SendPoll(ctx, room, &pollv1.Poll{Question: "On top?", Options: []string{"Ham", "Pineapple"}})
	fmt.Fprintln(out, "  the server refuses:", status.Code(err))
	return context.Cause(ctx)
}
