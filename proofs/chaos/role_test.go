package chaos_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/proofs/internal/remotelog"
	"github.com/game-im/im-grpc-sdk/proofs/internal/sdk"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
)

// What a process is, and how it is set up: JSON.
const (
	roleKey   = "CHAOS_ROLE"
	configKey = "CHAOS_CONFIG"

	roleLog    = "log"
	roleServer = "server"
	roleClient = "client"
)

// serverConfig is a server's.
type serverConfig struct {
	Log    string // the address of the log; empty: its own
	Number int    // how many servers there were before it
	Faults faults
}

func runRole(role string) (code int) {
	var err error
	switch role {
	case roleLog:
		err = runLog()
	case roleServer:
		err = runServer()
	case roleClient:
		err = runClient()
	default:
		err = fmt.Errorf("there is no role %q", role)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		return 1
	}
	return 0
}

func readConfig(into any) error { return json.Unmarshal([]byte(os.Getenv(configKey)), into) }

// retention lets a log have all that a run says.
func retention() sdk.Keep { return sdk.Keep{Messages: 50_000_000, Bytes: 8 << 30} }

// runLog serves a log until the controller closes standard input.
func runLog() error {
	listener, err := listen()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = listener.Close()
	}()
	newReporter().now(report{Status: statusReady, Text: listener.Addr().String()})
	return remotelog.Serve(listener, sdk.MemoryLog(retention()))
}

// runServer serves until SIGTERM, or until the controller closes standard input. It is mostly killed.
func runServer() error {
	var config serverConfig
	if err := readConfig(&config); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	reports := newReporter()
	engine, err := serverLog(ctx, config, reports)
	if err != nil {
		return err
	}
	srv, err := server.New(sdk.ServerOptions(engine)...)
	if err != nil {
		return err
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	g := grpc.NewServer(append(server.GRPCOptions(), config.Faults.options(config.Number))...)
	imv1.RegisterIMServiceServer(g, srv)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	reports.now(report{Status: statusReady, Text: listener.Addr().String()})
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = sdk.Drain(drain, srv, g)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) { // connections that are half-open never end
		return err
	}
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// serverLog is the log process's, or one in memory whose epochs the controller hears of.
func serverLog(ctx context.Context, config serverConfig, reports *reporter) (roomlog.Engine, error) {
	if config.Log != "" {
		return dialLog(ctx, config.Log)
	}
	return &announced{Engine: sdk.MemoryLog(retention()), reports: reports, known: make(map[string]uint64)}, nil
}

// dialLog dials until the log answers: its connections are cut as others are.
func dialLog(ctx context.Context, address string) (*remotelog.Engine, error) {
	for try := 1; ; try++ {
		engine, err := remotelog.Dial(ctx, address)
		if err == nil || try == 5 {
			return engine, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func listen() (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(context.Background(), "tcp", "127.0.0.1:0")
}

// commands reads what the controller says, a word a line. The channel is closed when the controller has gone.
func commands() <-chan string {
	words := make(chan string)
	go func() {
		defer close(words)
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			words <- lines.Text()
		}
	}()
	return words
}
