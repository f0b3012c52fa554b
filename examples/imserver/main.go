// Imserver is a ready-made IM server: runtime/server with the kinds of im.v1, gRPC health and reflection, TLS, and a clean
// stop. `imserver -h` tells its flags; each one has an environment variable.
//
// It trusts its clients unless -user-from-cert is given: put it behind a gateway that sets the metadata user-id, or build a
// server of your own around runtime/server with an authenticator.
//
// It exits with 0 after a clean stop (SIGINT or SIGTERM), with 1 if it could not start, serve or stop in time, and with 2 if a
// flag or a variable is wrong.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// run is the program; the result is its exit code.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	cfg, err := parse(args, env, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "imserver: %v\nSee imserver -h.\n", err)
		return 2
	}
	if err := serve(ctx, cfg, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "imserver: %v\n", err)
		return 1
	}
	return 0
}
