package wiretest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const validateModule = "github.com/envoyproxy/protoc-gen-validate"

func TestTheCopyOfValidateProtoIsThatOfThePinnedModule(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", validateModule).Output()
	if err != nil {
		t.Fatal(err)
	}
	original := strings.TrimSpace(string(dir))
	if original == "" {
		t.Fatalf("the module cache does not have %s: run go mod download", validateModule)
	}
	for _, name := range []string{"validate/validate.proto", "LICENSE"} {
		want, err := os.ReadFile(filepath.Join(original, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", "third_party", "protoc-gen-validate", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("third_party/protoc-gen-validate/%s is not that of %s: copy it again", name, original)
		}
	}
}
