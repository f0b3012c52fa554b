package tests_test

import (
	"testing"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/generator"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/options"
)

// Whatever protos and options say, the plugin does not panic and gives either findings or output that compiles.
func FuzzRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, choices []byte) {
		request := (&chooser{left: choices}).request()
		var opts options.Options
		if _, err := generator.Options(&opts).New(request); err != nil {
			return // these are no protos; nor would a compiler send them
		}
		checkEither(t, request)
	})
}
