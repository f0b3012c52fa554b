package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// config is what flags and environment say.
type config struct {
	addr                      string
	cert, key, clientCA       string
	userFromCert              bool
	audioDir                  string
	audioBytes, audioAllBytes int64
	maxMessage                int
	maxRooms                  int
	maxUsers                  int
	persistent                bool
	keepMessages              int
	keepBytes, keepAllBytes   int64
	keepAge, dedupeWindow     time.Duration
	windowBytes               int
	queueAnswers, queueBytes  int
	heartbeat, heartbeatWait  time.Duration
	silence                   time.Duration
	echoToday                 bool
	drainSpread, stopTimeout  time.Duration
	logLevel                  slog.Level
	logFormat                 string
}

const envPrefix = "IMSERVER_"

// parse reads the environment, then the flags, which win.
func parse(args []string, env func(string) (string, bool), help io.Writer) (*config, error) {
	cfg := &config{}
	flags := flag.NewFlagSet("imserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run tells errors
	flags.Usage = func() {}
	define(flags, cfg)
	var errs []error
	checkValues(flags, cfg, &errs)
	flags.VisitAll(func(f *flag.Flag) {
		if value, ok := env(envName(f.Name)); ok {
			if err := flags.Set(f.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("the variable %s is %q: %w", envName(f.Name), value, err))
			}
		}
	})
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		usage(help, flags)
		return nil, err
	case err != nil:
		errs = append(errs, err)
	case flags.NArg() > 0:
		errs = append(errs, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	return cfg, errors.Join(append(errs, cfg.check())...)
}

func define(flags *flag.FlagSet, cfg *config) {
	flags.StringVar(&cfg.addr, "addr", ":8083", "listen on `host:port`; port 0 takes a free one")
	flags.StringVar(&cfg.cert, "tls-cert", "", "PEM `file` of the certificate; without it there is no TLS")
	flags.StringVar(&cfg.key, "tls-key", "", "PEM `file` of the certificate's key")
	flags.StringVar(&cfg.clientCA, "client-ca", "", "PEM `file` of who signs clients' certificates; clients then need one")
	flags.BoolVar(&cfg.userFromCert, "user-from-cert", false,
		"the user is the common name of the client's certificate, not what the client says; needs -client-ca")
	flags.StringVar(&cfg.audioDir, "audio-dir", "", "keep audios in this `folder`; without it they are kept in memory")
	flags.Int64Var(&cfg.audioBytes, "audio-max-bytes", 64<<20, "`bytes` of one audio at most")
	flags.Int64Var(&cfg.audioAllBytes, "audio-total-bytes", 256<<20, "`bytes` of all audios at most")
	flags.IntVar(&cfg.maxMessage, "max-message-bytes", 1<<20, "`bytes` of one message at most, up to 4194304")
	flags.IntVar(&cfg.maxRooms, "max-rooms", 1000, "`rooms` that one stream is in at most")
	flags.IntVar(&cfg.maxUsers, "max-users", 0, "`users` in one room at most; 0 is no limit")
	flags.BoolVar(&cfg.persistent, "persistent-rooms", false, "a room outlives its last user")
	flags.IntVar(&cfg.keepMessages, "keep-messages", 10_000, "`messages` that a room's log keeps at most")
	flags.Int64Var(&cfg.keepBytes, "keep-bytes", 4<<20, "`bytes` that a room's log keeps at most")
	flags.Int64Var(&cfg.keepAllBytes, "keep-total-bytes", 256<<20, "`bytes` that all logs keep at most")
	flags.DurationVar(&cfg.keepAge, "keep-age", time.Hour, "the logs keep messages for this `time` at most")
	flags.DurationVar(&cfg.dedupeWindow, "dedupe-window", 2*time.Minute, "for this `time` a repeated send is recognised")
	flags.IntVar(&cfg.windowBytes, "window-bytes", 256<<10, "`bytes` of a room that may be in flight to one reader, at least 1024")
	flags.IntVar(&cfg.queueAnswers, "queue-answers", 4096, "`answers` that may wait for one client that does not read")
	flags.IntVar(&cfg.queueBytes, "queue-bytes", 8<<20, "`bytes` of such answers")
	flags.DurationVar(&cfg.heartbeat, "heartbeat", 10*time.Second,
		"`time` between the heartbeats of clients that know the handshake")
	flags.DurationVar(&cfg.heartbeatWait, "heartbeat-timeout", 5*time.Second, "drop them after this `time` more of silence")
	flags.DurationVar(&cfg.silence, "silence", 300*time.Second, "drop other clients after this `time` of silence")
	flags.BoolVar(&cfg.echoToday, "echo", false, "send clients without the handshake their own messages back")
	flags.DurationVar(&cfg.drainSpread, "drain-spread", 5*time.Second, "`time` over which clients are sent away at a clean stop")
	flags.DurationVar(&cfg.stopTimeout, "stop-timeout", 15*time.Second, "`time` that a clean stop may take")
	flags.TextVar(&cfg.logLevel, "log-level", slog.LevelInfo,
		"`level` of what is logged to standard error: debug, info, warn, error")
	flags.StringVar(&cfg.logFormat, "log-format", "text", "`format` of the log: text, json")
}

// check finds flags that do not go together; rules has what each one may be.
func (cfg *config) check() error {
	var errs []error
	wrong := func(is bool, what string) {
		if is {
			errs = append(errs, errors.New(what))
		}
	}
	wrong((cfg.cert == "") != (cfg.key == ""), "-tls-cert and -tls-key belong together: give both or none")
	wrong(cfg.clientCA != "" && cfg.cert == "", "-client-ca needs TLS: give -tls-cert and -tls-key")
	wrong(cfg.userFromCert && cfg.clientCA == "", "-user-from-cert needs -client-ca")
	return errors.Join(errs...)
}

func envName(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func usage(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(w, `imserver serves im.v1.IMService, with gRPC health and reflection, until SIGINT or SIGTERM.

Usage: imserver [flags]

Each flag has a variable: `+envName("addr")+` for -addr, `+envName("tls-cert")+` for -tls-cert. The flag wins.
Without -user-from-cert clients are believed who they are: for development, or behind a gateway that sets the user.

`)
	flags.VisitAll(func(f *flag.Flag) {
		argument, text := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  %-28s %s", strings.TrimSpace("-"+f.Name+" "+argument), text)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}
