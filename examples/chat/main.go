// Chat is a chat in a terminal: two of them talk to each other through an IM server.
//
//	go run ./chat -server 127.0.0.1:8083 -user ann -room lobby
//
// A line is sent to the room; a line that begins with a slash is a command (/help lists them). `-h` lists the flags and
// their environment variables. It talks to servers of this project and to those deployed before it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program the hard way
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it gives the exit code. It returns when in ends, at /quit and when ctx is done; a read from in
// that waits for input then is left behind.
func run(
	ctx context.Context, args []string, lookup func(string) (string, bool), in io.Reader, out, errOut io.Writer,
) int {
	s, err := parseSettings(args, lookup, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(errOut, "chat: %v\nchat -h lists the flags.\n", err)
		return 2
	}
	p := newPrinter(out, isTerminal(out) && !noColor(lookup))
	if err := chatOn(ctx, s, dialer(s), p, in); err != nil {
		fmt.Fprintf(errOut, "chat: %v\n", err)
		return 1
	}
	return 0
}

// dialer makes sessions as the settings say.
func dialer(s settings) dialFunc {
	return func(opts ...session.Option) (*session.Session, error) {
		secured, err := s.tls.options()
		if err != nil {
			return nil, err
		}
		return session.Dial(s.target, append(opts, secured...)...)
	}
}
