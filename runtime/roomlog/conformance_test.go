package roomlog_test

import (
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog/roomlogtest"
)

func TestTheMemoryEngineDoesWhatEnginesDo(t *testing.T) {
	t.Parallel()
	roomlogtest.Run(t, roomlogtest.Config{
		Open: func(_ *testing.T, retention roomlog.Retention) roomlog.Engine { return roomlog.NewMemory(retention) },
	})
}
