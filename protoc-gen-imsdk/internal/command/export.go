package command

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	imgrpcsdk "github.com/game-im/im-grpc-sdk"
)

// exported are the files that exportProto writes, and where they stand in the SDK.
func exported() map[string]string {
	return map[string]string{
		"imsdk/v1/options.proto":  "proto/imsdk/v1/options.proto",
		"imsdk/LICENSE":           "LICENSE",
		"validate/validate.proto": "third_party/protoc-gen-validate/validate/validate.proto",
		"validate/LICENSE":        "third_party/protoc-gen-validate/LICENSE",
	}
}

// exportProto writes the protos that users' protos import to a folder: all of them, or none.
func exportProto(p *Process, args []string) error {
	set := p.flags("export-proto [-force] DIR")
	force := set.Bool("force", false, "overwrite files that differ")
	if err := parseArgs(set, args, 1); err != nil {
		return err
	}
	dir := set.Arg(0)
	var refused []error
	wanted := make(map[string][]byte)
	files := exported()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		want, err := imgrpcsdk.Protos.ReadFile(files[name])
		if err != nil {
			return err
		}
		have, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			wanted[path] = want
		case err != nil:
			refused = append(refused, err)
		case bytes.Equal(have, want):
			fmt.Fprintf(p.Stdout, "%s is up to date\n", path)
		case *force:
			wanted[path] = want
		default:
			refused = append(refused, fmt.Errorf("%s is there and differs; -force overwrites it", path))
		}
	}
	if err := errors.Join(refused...); err != nil {
		return err
	}
	return p.write(wanted)
}

func (p *Process) write(files map[string][]byte) error {
	for _, each := range slices.Sorted(maps.Keys(files)) {
		if err := os.MkdirAll(filepath.Dir(each), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(each, files[each], 0o644); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "wrote %s\n", each)
	}
	return nil
}
