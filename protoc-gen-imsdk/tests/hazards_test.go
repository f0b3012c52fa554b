package tests_test

import (
	"go/format"
	"os"
	"path/filepath"
	"testing"
)

// A hazard ends in output that compiles, or in findings with a golden.
func TestHazardsEndInOutputThatCompilesOrInFindings(t *testing.T) {
	t.Parallel()
	for _, each := range cases(t, "hazards") {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			response := generate(t, each.request(t))
			golden := filepath.Join(each.dir, "want.txt")
			if response.Error != nil {
				compareFindings(t, golden, response)
				return
			}
			if _, err := os.Stat(golden); err == nil {
				t.Errorf("there are no findings, and %s wants some", golden)
			}
			sources := withMessages(t, each)
			if err := checkTypes(sources); err != nil {
				t.Error(err)
			}
			for _, file := range response.GetFile() {
				formatted, err := format.Source([]byte(file.GetContent()))
				if err != nil || string(formatted) != file.GetContent() {
					t.Errorf("%s is not as gofmt writes it: %v", file.GetName(), err)
				}
			}
		})
	}
}
