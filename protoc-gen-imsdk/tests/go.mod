module github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/tests

go 1.26.0

replace github.com/game-im/im-grpc-sdk => ../../

require (
	github.com/bufbuild/protocompile v0.14.1
	github.com/game-im/im-grpc-sdk v0.0.0-00010101000000-000000000000
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/envoyproxy/protoc-gen-validate v1.3.3 // indirect
	golang.org/x/sync v0.23.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
	google.golang.org/grpc v1.85.0 // indirect
)
