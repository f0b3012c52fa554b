package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/lock"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/parse"
)

// writeLock writes the lock of the kinds in an image, unless they break what it says.
func writeLock(p *Process, args []string) error {
	set := p.flags("lock [-o imsdk.lock] [-image FILE] [-allow-breaking NUMBERS]")
	output := set.String("o", lock.DefaultPath, "the lock to renew, or to write for the first time")
	image := set.String("image", "", "a buf image or FileDescriptorSet with imports (default: standard input)")
	allow := set.String("allow-breaking", "", "numbers in the lock whose kinds may change though programs in use break: 1000,1001")
	if err := parseArgs(set, args, 0); err != nil {
		return err
	}
	allowed, err := parseNumbers(*allow)
	if err != nil {
		return err
	}
	content, err := p.readImage(*image)
	if err != nil {
		return err
	}
	plugin, err := pluginOf(content)
	if err != nil {
		return err
	}

	var findings diag.List
	old, err := readLock(*output, &findings)
	if err != nil {
		return err
	}
	packages := parse.Packages(plugin, parse.Config{Lock: old, RenewLock: true, AllowBreaking: allowed}, &findings)
	if err := findings.Err(); err != nil {
		return fmt.Errorf("%s is not written:\n%w", *output, err)
	}
	for _, number := range allowed {
		if _, ok := old.Number(number); !ok {
			return fmt.Errorf("-allow-breaking %d: %s has no such number; leave it out", number, *output)
		}
	}
	var kinds []*model.Kind
	for _, each := range packages {
		kinds = append(kinds, each.Kinds...)
	}
	if len(kinds) == 0 && len(old.Kinds()) == 0 {
		return errors.New("no message in the image has the option (imsdk.v1.kind)")
	}
	return p.renew(old, old.With(kinds))
}

// readLock reads the lock that is there, or gives an empty one.
func readLock(path string, findings *diag.List) (*lock.Lock, error) {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return lock.Parse(path, string(content), findings), nil
}

// renew writes the lock and says what is new in it.
func (p *Process) renew(old, next *lock.Lock) error {
	for _, kind := range next.Kinds() {
		was, ok := old.Number(kind.Number)
		switch {
		case !ok:
			fmt.Fprintf(p.Stdout, "new: %s\n", kind)
		case was.String() != kind.String():
			fmt.Fprintf(p.Stdout, "was: %s\nnow: %s\n", was, kind)
		}
	}
	if err := os.WriteFile(next.Path(), []byte(next.Text()), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "wrote %s\n", next.Path())
	return nil
}

func (p *Process) readImage(path string) ([]byte, error) {
	if path != "" {
		return os.ReadFile(path)
	}
	if IsTerminal(p.Stdin) {
		return nil, errors.New(
			"standard input is a terminal; give it an image: `buf build -o - | protoc-gen-imsdk lock`, or -image FILE")
	}
	return io.ReadAll(p.Stdin)
}

// parseNumbers reads 1000,1001.
func parseNumbers(list string) ([]int32, error) {
	var numbers []int32
	for word := range strings.SplitSeq(list, ",") {
		if list == "" {
			break
		}
		number, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("-allow-breaking %s: %q is no number; write the numbers of kinds, as in 1000,1001", list, word)
		}
		numbers = append(numbers, int32(number))
	}
	return slices.Compact(slices.Sorted(slices.Values(numbers))), nil
}
