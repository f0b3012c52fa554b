package kindset_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/kindset"
)

func kind(number int32, direction runtime.Direction, encoding runtime.Encoding) *runtime.Kind {
	return &runtime.NewKind(runtime.KindSpec[*imv1.TextContent]{
		Number: number, Direction: direction, Encoding: encoding,
		New: func() *imv1.TextContent { return new(imv1.TextContent) },
	}).Kind
}

// Peers in other languages make the same hash: the number is that of docs/protocol.md's example.
func TestTheHashIsThatOfTheProtocol(t *testing.T) {
	t.Parallel()
	set := kindset.Of([]*runtime.Kind{
		kind(1, runtime.DirectionBoth, runtime.EncodingRaw),
		kind(1000, runtime.DirectionServer, runtime.EncodingJSON),
		kind(1001, runtime.DirectionClient, runtime.EncodingProto),
	})
	// printf '1 im.v1.TextContent 3 2\n1000 im.v1.TextContent 2 3\n1001 im.v1.TextContent 1 1\n' | sha256sum
	const want = 0xc2e76dc3203a219e
	if set.Hash != want {
		t.Errorf("hash is %#x, want %#x", set.Hash, uint64(want))
	}
	if none := kindset.Of(nil); none.Hash != 0 || none.Summaries != nil {
		t.Errorf("no kinds are %+v", none)
	}
}

func TestKindsThatNeedTooMuchRoomTravelAsAHashOnly(t *testing.T) {
	t.Parallel()
	var kinds []*runtime.Kind
	last := 0
	for number := range int32(1000) {
		kinds = append(kinds, kind(number+1, runtime.DirectionBoth, runtime.EncodingProto))
		set := kindset.Of(kinds)
		if set.Hash == 0 {
			t.Fatal("no hash")
		}
		if set.Summaries == nil {
			break
		}
		last = proto.Size(&imsdkv1.Hello{Kinds: set.Summaries})
	}
	if last < 900 || last > 1024 {
		t.Errorf("the largest list has %d bytes", last)
	}
}

func TestDifferencesAreToldByNumber(t *testing.T) {
	t.Parallel()
	both, server, proto, raw := runtime.DirectionBoth, runtime.DirectionServer, runtime.EncodingProto, runtime.EncodingRaw
	set := func(kinds ...*runtime.Kind) []*imsdkv1.KindSummary { return kindset.Of(kinds).Summaries }
	one := set(kind(1, both, proto), kind(2, both, proto), kind(1000, both, proto), kind(1001, server, raw))
	tests := []struct {
		name       string
		own, other []*imsdkv1.KindSummary
		want       string
	}{
		{"the same", one, one, "clashes [] missing [] extra []"},
		{"one is not known", one, nil, "clashes [] missing [] extra []"},
		{"the other is not known", nil, one, "clashes [] missing [] extra []"},
		{
			"each has its own", one, set(kind(1, both, proto), kind(3, both, proto), kind(1000, both, proto), kind(1001, server, raw), kind(1002, both, proto)),
			"clashes [] missing [3 im.v1.TextContent (both, proto) 1002 im.v1.TextContent (both, proto)] extra [2 im.v1.TextContent (both, proto)]",
		},
		{
			"encoding and direction", one, set(kind(1, both, raw), kind(2, server, proto), kind(1000, both, proto), kind(1001, server, raw)),
			"clashes [1 im.v1.TextContent (both, proto) here, 1 im.v1.TextContent (both, raw) there " +
				"2 im.v1.TextContent (both, proto) here, 2 im.v1.TextContent (server, proto) there] missing [] extra []",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := kindset.Compare(test.own, test.other)
			if got := fmt.Sprintf("clashes %v missing %v extra %v", d.Clashes, d.Missing, d.Extra); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestEachOtherSetIsToldOnceAndNotWithoutEnd(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	teller := &kindset.Teller{Log: slog.New(slog.NewTextHandler(&logged, nil)), Other: "client"}
	own := kindset.Of([]*runtime.Kind{kind(1, runtime.DirectionBoth, runtime.EncodingProto)})
	other := kindset.Of([]*runtime.Kind{kind(1, runtime.DirectionBoth, runtime.EncodingRaw)})
	for range 3 {
		teller.Tell(own, own.Hash, own.Summaries)
		teller.Tell(own, 0, nil)
		teller.Tell(kindset.Set{}, other.Hash, other.Summaries)
		teller.Tell(own, other.Hash, other.Summaries)
		teller.Tell(own, 99, nil)
	}
	lines := slices.Collect(strings.Lines(logged.String()))
	if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], "(both, raw) there") ||
		!strings.Contains(lines[1], "level=INFO") || !strings.Contains(lines[1], "too many to tell") {
		t.Errorf("logged is\n%s", strings.Join(lines, ""))
	}
	for hash := range uint64(1000) {
		teller.Tell(own, hash+100, nil)
	}
	if lines := strings.Count(logged.String(), "\n"); lines != 64 {
		t.Errorf("%d lines", lines)
	}
}
