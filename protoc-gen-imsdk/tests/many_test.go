package tests_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/game-im/im-grpc-sdk/runtime"
)

// A package of many kinds is generated in little time, with few lines for each kind, and compiles.
func TestAKindCostsFewLines(t *testing.T) {
	t.Parallel()
	lines := make(map[int]int)
	for _, kinds := range []int{1, 100, 200} {
		sources := testCase{}.imported(t)
		sources["many/v1/many.proto"] = manyKinds(kinds)
		request := compile(t, sources, []string{"many/v1/many.proto"}, "")
		start := time.Now()
		files := generated(t, generate(t, request))
		elapsed := time.Since(start)
		for _, content := range files {
			lines[kinds] += strings.Count(content, "\n")
		}
		t.Logf("%d kinds: %d lines, %.1f for each, in %v", kinds, lines[kinds], float64(lines[kinds])/float64(kinds), elapsed)
		checkEither(t, request)
	}
	const most = 66
	if each := float64(lines[200]) / 200; each > most {
		t.Errorf("a kind of 200 has %.1f lines, want %d at most", each, most)
	}
	if each := float64(lines[200]-lines[100]) / 100; each > most {
		t.Errorf("each kind from 100 to 200 adds %.1f lines, want %d at most", each, most)
	}
}

// manyKinds is a proto file with that many kinds, which have a line of comment and two fields each.
func manyKinds(kinds int) string {
	var types, messages strings.Builder
	for i := range kinds {
		fmt.Fprintf(&types, "  TYPE_K%d = %d;\n", i, 1000+i)
		fmt.Fprintf(&messages, `
// K%dContent is what is sent to have something to say about number %[1]d.
message K%[1]dContent {
  option (imsdk.v1.kind) = {type: "TYPE_K%[1]d"};

  string user_id = 1 [(validate.rules).string.min_len = 1];
  int64 sent_at = 2;
}
`, i)
	}
	return `syntax = "proto3";

package many.v1;

import "imsdk/v1/options.proto";
import "validate/validate.proto";

option go_package = "example.com/many/v1;manyv1";

enum Type {
  option (imsdk.v1.kind_enum) = {};

  TYPE_UNSPECIFIED = 0;
` + types.String() + "}\n" + messages.String()
}

// What a message costs does not grow with the number of kinds.
func TestDispatchDoesNotGrowWithTheKinds(t *testing.T) {
	t.Parallel()
	few, many := newDispatch(t, 10), newDispatch(t, 200)
	var times [2][]time.Duration
	for range 51 { // in turn, so that whatever else runs slows down both
		for i, each := range []*dispatch{few, many} {
			start := time.Now()
			for range 1000 {
				if err := each.one(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	medians := [2]time.Duration{times[0][25], times[1][25]}
	t.Logf("1000 messages with 10 kinds: %v, with 200 kinds: %v", medians[0], medians[1])
	if medians[1] > 2*medians[0] {
		t.Errorf("a message takes %v with 200 kinds and %v with 10", medians[1]/1000, medians[0]/1000)
	}
}

func BenchmarkDispatch(b *testing.B) {
	for _, kinds := range []int{10, 200} {
		b.Run(fmt.Sprintf("%d kinds", kinds), func(b *testing.B) {
			each := newDispatch(b, int32(kinds))
			for b.Loop() {
				if err := each.one(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// dispatch has messages of all of its kinds in turn.
type dispatch struct {
	router runtime.Router
	kinds  int32
	next   int32
}

func newDispatch(tb testing.TB, kinds int32) *dispatch {
	tb.Helper()
	registration := runtime.Registration{Package: "many.v1"}
	for i := range kinds {
		kind := runtime.NewKind(runtime.KindSpec[*wrapperspb.StringValue]{
			Number: 1000 + i, Name: fmt.Sprint("K", i), Encoding: runtime.EncodingProto,
			New: func() *wrapperspb.StringValue { return new(wrapperspb.StringValue) },
		})
		handle := func(context.Context, *runtime.Message[*wrapperspb.StringValue]) error { return nil }
		registration.Routes = append(registration.Routes, runtime.On(kind, handle))
	}
	d := &dispatch{kinds: kinds}
	if err := d.router.Add(registration); err != nil {
		tb.Fatal(err)
	}
	return d
}

// one leads the next message to its handler.
func (d *dispatch) one(ctx context.Context) error {
	in := &runtime.Incoming{Type: 1000 + d.next}
	d.next = (d.next + 1) % d.kinds
	d.router.Decode(in)
	outcome, err := d.router.Handle(ctx, in)
	if outcome != runtime.Handled {
		return fmt.Errorf("outcome is %v: %w", outcome, err)
	}
	return err
}
