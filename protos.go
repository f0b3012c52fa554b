// Package imgrpcsdk holds the protos that a user's own protos import, with their licences. protoc-gen-imsdk writes them:
//
//	protoc-gen-imsdk export-proto third_party
//
// The SDK itself is in the packages below: runtime/session for clients, runtime/server for servers, runtime/imtest for
// tests.
package imgrpcsdk

import "embed"

// Protos are imsdk/v1/options.proto and validate/validate.proto, with the paths that they have in this repository.
//
//go:embed LICENSE proto/imsdk/v1/options.proto
//go:embed third_party/protoc-gen-validate/LICENSE third_party/protoc-gen-validate/validate/validate.proto
var Protos embed.FS
