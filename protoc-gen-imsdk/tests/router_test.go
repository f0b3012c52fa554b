package tests_test

import _ "github.com/game-im/im-grpc-sdk/runtime"
