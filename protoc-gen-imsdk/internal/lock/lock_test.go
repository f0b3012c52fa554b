package lock_test

import (
	"strings"
	"testing"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/lock"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

func parse(t *testing.T, text string) *lock.Lock {
	t.Helper()
	var findings diag.List
	parsed := lock.Parse(lock.DefaultPath, text, &findings)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// lines are those of a lock without its header.
func lines(l *lock.Lock) string {
	var kinds []string
	for line := range strings.Lines(l.Text()) {
		if !strings.HasPrefix(line, "#") {
			kinds = append(kinds, line)
		}
	}
	return strings.Join(kinds, "")
}

func TestALockIsWrittenByNumberAndReadAgain(t *testing.T) {
	t.Parallel()
	const want = "7 im.v1.Leave json server\n1000 poll.v1.Poll proto both\n1001 poll.v1.Vote raw client removed\n"
	first := parse(t, "1001 poll.v1.Vote raw client removed\r\n\n  # a remark\n1000 poll.v1.Poll proto both\n7 im.v1.Leave json server")
	if got := lines(first); got != want {
		t.Errorf("the lock is\n%swant\n%s", got, want)
	}
	if again := parse(t, first.Text()); again.Text() != first.Text() {
		t.Errorf("read and written again it is\n%s", again.Text())
	}
}

func TestAKindThatIsGoneStaysAsRemoved(t *testing.T) {
	t.Parallel()
	old := parse(t, "1000 poll.v1.Poll proto both\n1001 poll.v1.Vote raw client\n1002 poll.v1.Old json both removed\n")
	next := old.With([]*model.Kind{
		{Number: 1000, Message: "poll.v1.Poll", Encoding: imsdkv1.Encoding_ENCODING_PROTO, Direction: imsdkv1.Direction_DIRECTION_BOTH},
		{Number: 999, Message: "poll.v1.New", Encoding: imsdkv1.Encoding_ENCODING_RAW, Direction: imsdkv1.Direction_DIRECTION_SERVER},
	})
	const want = "999 poll.v1.New raw server\n1000 poll.v1.Poll proto both\n" +
		"1001 poll.v1.Vote raw client removed\n1002 poll.v1.Old json both removed\n"
	if got := lines(next); got != want {
		t.Errorf("the lock is\n%swant\n%s", got, want)
	}
	if _, ok := next.Message("poll.v1.Vote"); ok {
		t.Error("a removed kind is found by its message")
	}
	if kind, ok := next.Number(1001); !ok || !kind.Removed {
		t.Errorf("number 1001 is %v, %t", kind, ok)
	}
}
