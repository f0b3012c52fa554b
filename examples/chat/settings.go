package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// settings are what flags and environment say.
type settings struct {
	target   string // what gRPC dials
	user     string
	nickname string
	room     string // empty: none at the start
	timeout  time.Duration
	tls      tlsSettings
}

// flagNames are in the order of the help.
func flagNames() []string {
	return []string{"server", "target", "user", "nick", "room", "timeout", "tls", "ca", "cert", "key"}
}

// variable is the environment variable that stands in for a flag.
func variable(flagName string) string { return "CHAT_" + strings.ToUpper(flagName) }

const usageHead = `Chat in a terminal, over an IM server.

  chat -user ann -room lobby
  chat -server im.example.com:443 -tls -user ann

A line is sent to the room. /help lists the commands; /quit, Ctrl-D or Ctrl-C ends it.

Flags, each with the environment variable that gives its default:
`

const usageTail = `
NO_COLOR switches colours off; without a terminal there are none.
`

// parseSettings reads flags; what they leave open comes from the environment. After -h it has printed the help to out,
// and its error is flag.ErrHelp.
func parseSettings(args []string, lookup func(string) (string, bool), out io.Writer) (settings, error) {
	var (
		s      settings
		server string
	)
	flags := flag.NewFlagSet("chat", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are for the caller to print
	flags.StringVar(&server, "server", "127.0.0.1:8083", "the server, as `host:port`")
	flags.StringVar(&s.target, "target", "",
		"any gRPC `target` in place of -server: static:///a:1,b:2, dns:///name:1, unix:///path")
	flags.StringVar(&s.user, "user", "", "who you are: the user's `id`")
	flags.StringVar(&s.nickname, "nick", "", "the `name` that others see beside the id when you join")
	flags.StringVar(&s.room, "room", "lobby", "the `room` to begin in; -room= begins in none")
	flags.DurationVar(&s.timeout, "timeout", 30*time.Second, "how long a message or a command may take")
	flags.BoolVar(&s.tls.on, "tls", false, "use TLS and check the server's certificate")
	flags.StringVar(&s.tls.ca, "ca", "", "a PEM `file` with who may have signed it; means -tls (default: the system's)")
	flags.StringVar(&s.tls.cert, "cert", "", "a PEM `file` with your own certificate, for mTLS; needs -key")
	flags.StringVar(&s.tls.key, "key", "", "a PEM `file` with its key")

	environmentErr := setFromEnvironment(flags, lookup)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		printUsage(flags, out)
		return settings{}, err
	}
	if err := errors.Join(environmentErr, err); err != nil {
		return settings{}, err
	}
	if s.target == "" {
		s.target = server
	}
	return s, s.check(flags.Args())
}

// setFromEnvironment comes before the flags, which win.
func setFromEnvironment(flags *flag.FlagSet, lookup func(string) (string, bool)) error {
	for _, name := range flagNames() {
		value, ok := lookup(variable(name))
		if !ok {
			continue
		}
		if err := flags.Set(name, value); err != nil {
			return fmt.Errorf("the environment variable %s: %q: %w", variable(name), value, err)
		}
	}
	return nil
}

func (s settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: everything is given by flags", rest[0])
	case s.user == "":
		return errors.New("who are you? Pass -user NAME, or set CHAT_USER")
	case s.timeout <= 0:
		return fmt.Errorf("-timeout %s: it must be positive", s.timeout)
	default:
		return s.tls.check()
	}
}

func printUsage(flags *flag.FlagSet, out io.Writer) {
	var text strings.Builder
	text.WriteString(usageHead)
	for _, name := range flagNames() {
		f := flags.Lookup(name)
		operand, meaning := flag.UnquoteUsage(f)
		fmt.Fprintf(&text, "\n  %-18s %s\n", strings.TrimSpace("-"+name+" "+operand), variable(name))
		fmt.Fprintf(&text, "      %s", meaning)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(&text, " (default %s)", f.DefValue)
		}
		text.WriteString("\n")
	}
	text.WriteString(usageTail)
	fmt.Fprint(out, text.String())
}
