//go:build corpus

// Package corpus pins modules that ship .proto files, for the generator's tests (protoc-gen-imsdk/tests/corpus_test.go). It
// is never built: an import of each module keeps its version in go.mod.
package corpus

import (
	_ "cel.dev/expr"
	_ "github.com/containerd/containerd/api/types"
	_ "github.com/envoyproxy/protoc-gen-validate/validate"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	_ "google.golang.org/grpc/codes"
	_ "google.golang.org/protobuf/proto"
	_ "istio.io/api/type/v1beta1"
	_ "k8s.io/api/authentication/v1"
	_ "k8s.io/apimachinery/pkg/runtime/schema"
)
