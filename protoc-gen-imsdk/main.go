// Protoc-gen-imsdk is a protoc plugin. From messages annotated with (imsdk.v1.kind) it generates, beside the Go package
// of the messages, a typed client and the hooks and publishers of a server:
//
//	gen/im/v1            imv1         the messages, by protoc-gen-go
//	gen/im/v1/imv1sdk    imv1sdk      kinds, Handlers, Client
//	gen/im/v1/imv1server imv1server   Hooks, Publisher
//
// In a buf.gen.yaml:
//
//	plugins:
//	  - local: protoc-gen-imsdk
//	    out: gen
//	    strategy: all
//	    opt: [paths=source_relative]
//
// strategy: all makes buf run the plugin once for all directories. Without it each directory is a run of its own: the
// output is the same, but a number that kinds of two directories share goes unnoticed until both are registered, unless there is
// a lock (option lock).
//
// Options, beside those of every Go plugin (paths, module, M):
//
//	validate=pgv    contents are checked by the ValidateAll that protoc-gen-validate generates (the default)
//	validate=none   contents are not checked; for editions and the opaque API, which protoc-gen-validate does not know
//	doc=markdown    a catalogue of the kinds beside the messages, kinds.md: numbers, fields with their rules in words, examples
//	lock=PATH       kinds are compared with the lock at PATH, from the folder where buf or protoc runs (imsdk.lock)
//
// Run by a person it has commands: `protoc-gen-imsdk help` says which.
package main

import (
	"os"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/command"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/generator"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/options"
)

func main() {
	if len(os.Args) > 1 || command.IsTerminal(os.Stdin) {
		os.Exit(command.Run(&command.Process{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, os.Args[1:]))
	}
	var opts options.Options
	generator.Options(&opts).Run(func(plugin *protogen.Plugin) error {
		return generator.Generate(plugin, &opts)
	})
}
