// Package command is what protoc-gen-imsdk does when a person runs it, and not a compiler: its subcommands.
package command
