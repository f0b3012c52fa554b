package kindset

import (
	"fmt"
	"log/slog"
	"sync"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// maxTold is how many other sets a Teller tells of. More are clients that make sets up.
const maxTold = 64

// Teller logs how the kinds of others differ from one's own: once for each other set. It is safe for concurrent use.
type Teller struct {
	// Log is where to. Other is what it calls the other side, "client" or "server".
	Log   *slog.Logger
	Other string

	mu   sync.Mutex
	told map[uint64]bool
}

// Tell looks at what another side says of its kinds. A hash of 0 says nothing.
func (t *Teller) Tell(own Set, hash uint64, kinds []*imsdkv1.KindSummary) {
	if own.Hash == 0 || hash == 0 || hash == own.Hash || !t.first(hash) {
		return
	}
	log, text := t.Log.Info, "other kinds than these"
	difference := Compare(own.Summaries, kinds)
	if len(difference.Clashes) > 0 {
		log, text = t.Log.Warn, "kinds that clash with these: generate both sides from the same protos"
	}
	var args []any
	for _, each := range []struct {
		key   string
		kinds []string
	}{{"clashing", difference.Clashes}, {"only_here", difference.Extra}, {"only_there", difference.Missing}} {
		if len(each.kinds) > 0 {
			args = append(args, each.key, each.kinds)
		}
	}
	if len(args) == 0 {
		args = append(args, "which", "too many to tell in a handshake")
	}
	log(fmt.Sprintf("the %s was generated with %s", t.Other, text), args...)
}

// first tells whether a set has not been told of, and there is still room to remember that it was.
func (t *Teller) first(hash uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told[hash] || len(t.told) >= maxTold {
		return false
	}
	if t.told == nil {
		t.told = make(map[uint64]bool)
	}
	t.told[hash] = true
	return true
}
