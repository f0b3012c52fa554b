module github.com/game-im/im-grpc-sdk/examples

go 1.26.0

replace github.com/game-im/im-grpc-sdk => ../
