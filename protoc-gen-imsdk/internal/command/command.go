package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

const usage = `protoc-gen-imsdk is a plugin of buf and protoc: they run it and give it protos. Name it in buf.gen.yaml,

  plugins:
    - local: protoc-gen-imsdk   # or [go, tool, protoc-gen-imsdk]
      out: gen
      strategy: all
      opt: [paths=source_relative, lock=imsdk.lock]

and run ` + "`buf generate`" + `, or give protoc --imsdk_out=gen. By hand it has these commands:

  protoc-gen-imsdk export-proto [-force] DIR
        writes the protos that yours import to DIR, imsdk/v1/options.proto and validate/validate.proto, with licences
  protoc-gen-imsdk lock [-o imsdk.lock] [-image FILE] [-allow-breaking NUMBERS]
        writes the lock of your kinds' numbers; it reads an image: buf build -o - | protoc-gen-imsdk lock
  protoc-gen-imsdk version
        says which release this is
  protoc-gen-imsdk help
        says this
`

// The exit codes of a process.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// errUsage is a command line that is wrong. What is wrong has been said.
var errUsage = errors.New("wrong usage")

// Process is what a command has of its process.
type Process struct {
	Stdin          *os.File
	Stdout, Stderr io.Writer
}

// commands are the subcommands by name.
func commands() map[string]func(p *Process, args []string) error {
	return map[string]func(*Process, []string) error{
		"export-proto": exportProto,
		"lock":         writeLock,
		"version":      version,
		"help":         help,
	}
}

// Run runs the command that the arguments name, and gives the process's exit code.
func Run(p *Process, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.Stderr, usage)
		return exitUsage
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	run, ok := commands()[name]
	if !ok {
		known := slices.Sorted(maps.Keys(commands()))
		hint := "the commands are " + strings.Join(known, ", ")
		if meant := diag.Suggest(name, known); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		fmt.Fprintf(p.Stderr, "protoc-gen-imsdk: there is no command %s; %s\n", name, hint)
		return exitUsage
	}
	switch err := run(p, args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	case err != nil:
		fmt.Fprintf(p.Stderr, "protoc-gen-imsdk %s: %v\n", name, err)
		return exitError
	}
	return exitOK
}

// IsTerminal tells that nobody has given a file or a pipe to read.
func IsTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func help(p *Process, _ []string) error {
	_, err := io.WriteString(p.Stdout, usage)
	return err
}

const module = "github.com/game-im/im-grpc-sdk"

// version says the module's version, whether the program is built here or in a user's module.
func version(p *Process, _ []string) error {
	found := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, each := range append(info.Deps, &info.Main) {
			if each.Path == module {
				found = each.Version
			}
		}
	}
	_, err := fmt.Fprintln(p.Stdout, "protoc-gen-imsdk", found)
	return err
}

// flags are those of one subcommand.
func (p *Process) flags(synopsis string) *flag.FlagSet {
	set := flag.NewFlagSet("protoc-gen-imsdk", flag.ContinueOnError)
	set.SetOutput(p.Stderr)
	set.Usage = func() {
		fmt.Fprintf(p.Stderr, "usage: protoc-gen-imsdk %s\n", synopsis)
		set.PrintDefaults()
	}
	return set
}

// parseArgs reads the arguments, of which so many are no flags.
func parseArgs(set *flag.FlagSet, args []string, operands int) error {
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return errUsage // the set has said it
	case set.NArg() != operands:
		set.Usage()
		return errUsage
	}
	return nil
}
