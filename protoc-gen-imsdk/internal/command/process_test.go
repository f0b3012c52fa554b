package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/command"
)

// root is the repository.
const root = "../../.."

// result is what a command has done.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command with a standard input.
func run(t *testing.T, stdin []byte, args ...string) result {
	t.Helper()
	input := filepath.Join(t.TempDir(), "stdin")
	writeFile(t, input, string(stdin))
	file, err := os.Open(input)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var stdout, stderr bytes.Buffer
	code := command.Run(&command.Process{Stdin: file, Stdout: &stdout, Stderr: &stderr}, args)
	return result{code, stdout.String(), stderr.String()}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
