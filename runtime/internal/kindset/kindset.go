// Package kindset compares the kinds that a session's program was generated with to those of its server's.
package kindset

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// maxSummary is how many bytes of Hello or Welcome may be kinds. More are left out, all of them: metadata has to stay small.
const maxSummary = 1 << 10

// Set is the kinds of one side. It does not change.
type Set struct {
	// Hash identifies it: see docs/protocol.md. 0: there are no kinds.
	Hash uint64
	// Summaries are the kinds by number. Empty: there are none, or more than travel in a handshake.
	Summaries []*imsdkv1.KindSummary
}

// Of summarises kinds, which come sorted by number.
func Of(kinds []*runtime.Kind) Set {
	if len(kinds) == 0 {
		return Set{}
	}
	digest := sha256.New()
	summaries := make([]*imsdkv1.KindSummary, len(kinds))
	for i, kind := range kinds {
		summary := summaryOf(kind)
		summaries[i] = summary
		_, _ = fmt.Fprintf(digest, "%d %s %d %d\n", // a digest takes everything
			summary.GetNumber(), summary.GetMessage(), summary.GetDirection(), summary.GetEncoding())
	}
	set := Set{Hash: max(binary.BigEndian.Uint64(digest.Sum(nil)), 1)}
	if proto.Size(&imsdkv1.Hello{Kinds: summaries}) <= maxSummary {
		set.Summaries = summaries
	}
	return set
}

// The numbers are those of options.proto, in which 0 is unspecified.
func summaryOf(kind *runtime.Kind) *imsdkv1.KindSummary {
	summary := &imsdkv1.KindSummary{Number: kind.Number, Message: string(kind.Message())}
	switch kind.Direction {
	case runtime.DirectionClient:
		summary.Direction = int32(imsdkv1.Direction_DIRECTION_CLIENT)
	case runtime.DirectionServer:
		summary.Direction = int32(imsdkv1.Direction_DIRECTION_SERVER)
	default:
		summary.Direction = int32(imsdkv1.Direction_DIRECTION_BOTH)
	}
	switch kind.Encoding {
	case runtime.EncodingRaw:
		summary.Encoding = int32(imsdkv1.Encoding_ENCODING_RAW)
	case runtime.EncodingJSON:
		summary.Encoding = int32(imsdkv1.Encoding_ENCODING_JSON)
	default:
		summary.Encoding = int32(imsdkv1.Encoding_ENCODING_PROTO)
	}
	return summary
}

// Difference is how the kinds of two sides differ, in words, by number.
type Difference struct {
	// Clashes are numbers that mean something else to either side: messages will be misread or refused.
	Clashes []string
	// Missing are kinds that only the other side has, Extra those that it has not.
	Missing, Extra []string
}

// Compare compares one side's kinds with the other's. The answer is empty where one of them is not known.
func Compare(own, other []*imsdkv1.KindSummary) Difference {
	var d Difference
	if len(own) == 0 || len(other) == 0 {
		return d
	}
	theirs := make(map[int32]*imsdkv1.KindSummary, len(other))
	for _, kind := range other {
		theirs[kind.GetNumber()] = kind
	}
	for _, kind := range own {
		same, ok := theirs[kind.GetNumber()]
		delete(theirs, kind.GetNumber())
		switch {
		case !ok:
			d.Extra = append(d.Extra, words(kind))
		case !proto.Equal(kind, same):
			d.Clashes = append(d.Clashes, fmt.Sprintf("%s here, %s there", words(kind), words(same)))
		}
	}
	for _, kind := range slices.SortedFunc(maps.Values(theirs), func(a, b *imsdkv1.KindSummary) int {
		return cmp.Compare(a.GetNumber(), b.GetNumber())
	}) {
		d.Missing = append(d.Missing, words(kind))
	}
	return d
}

// words are a kind as a log shows it: "1000 poll.v1.Poll (both, proto)".
func words(kind *imsdkv1.KindSummary) string {
	direction := strings.ToLower(strings.TrimPrefix(imsdkv1.Direction(kind.GetDirection()).String(), "DIRECTION_"))
	encoding := strings.ToLower(strings.TrimPrefix(imsdkv1.Encoding(kind.GetEncoding()).String(), "ENCODING_"))
	return fmt.Sprintf("%d %s (%s, %s)", kind.GetNumber(), kind.GetMessage(), direction, encoding)
}
