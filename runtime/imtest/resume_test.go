package imtest_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// listener is a session that writes the texts of a room down.
type listener struct {
	*session.Session

	im *imv1sdk.Client

	mu    sync.Mutex
	heard []string
	gaps  []session.Gap
	slow  time.Duration
}

func listen(t *testing.T, srv *imtest.Server, user string, opts ...session.Option) *listener {
	t.Helper()
	l := new(listener)
	opts = append(opts, session.WithRoom("r"), session.WithOnGap(func(_ context.Context, gap session.Gap) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.gaps = append(l.gaps, gap)
		l.heard = append(l.heard, "gap")
	}))
	l.Session = srv.Dial(user, opts...)
	var err error
	l.im, err = imv1sdk.NewClient(l.Session, imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
		l.mu.Lock()
		slow := l.slow
		l.mu.Unlock()
		time.Sleep(slow)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, m.Content.GetText())
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	connect(t, l.Session)
	return l
}

func (l *listener) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := strings.Join(l.heard, " "); got != strings.Join(want, " ") {
		t.Errorf("%s heard %d: %.2000s\nwant %d: %.2000s", l.User(), len(l.heard), got, len(want), strings.Join(want, " "))
	}
	l.heard = nil
}

func tell(t *testing.T, im *imv1sdk.Client, words ...string) {
	t.Helper()
	for _, word := range words {
		receipt, err := im.SendText(t.Context(), "r", &imv1.TextContent{Text: word})
		if err != nil || !receipt.Appended {
			t.Fatalf("send %s: %+v, %v", word, receipt, err)
		}
	}
}

// numbers are words that are easy to compare.
func numbers(from, to int) []string {
	var words []string
	for i := from; i < to; i++ {
		words = append(words, strconv.Itoa(i))
	}
	return words
}

// kept is a server whose log outlives restarts.
func kept(t *testing.T, opts ...server.Option) *imtest.Server {
	t.Helper()
	log := roomlog.NewMemory(roomlog.Retention{})
	return imtest.NewServer(t, imtest.WithServerOptions(append(opts, server.WithLog(log))...))
}

func TestWhatIsSaidWhileASessionIsAwayIsHeardWhenItIsBack(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(srv *imtest.Server){
		"after a restart": (*imtest.Server).Restart,
		"after a cut":     (*imtest.Server).Cut,
		"after a freeze":  (*imtest.Server).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := kept(t)
				ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
				tell(t, bob.im, numbers(0, 10)...)
				disturb(srv)
				tell(t, bob.im, numbers(10, 20)...) // bob comes back at a time of its own, and so does ann
				time.Sleep(time.Minute)
				tell(t, bob.im, numbers(20, 30)...)
				ann.expect(t, numbers(0, 30)...)
				if got := ann.Stats(); got.Gaps != 0 || got.Reconnects == 0 {
					t.Errorf("stats: %+v", got)
				}
			})
		})
	}
}

func TestALostLogIsAGapAndNothingComesTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		tell(t, bob.im, numbers(0, 10)...)
		ann.expect(t, numbers(0, 10)...)
		before := ann.Stats()
		srv.Restart() // the log dies with it
		time.Sleep(time.Minute)
		tell(t, bob.im, numbers(10, 20)...)
		ann.expect(t, append([]string{"gap"}, numbers(10, 20)...)...)
		if ann.gaps[0].Reason != session.GapReasonOtherLog || ann.gaps[0].Epoch == ann.gaps[0].NextEpoch || ann.Stats().Gaps != before.Gaps+1 {
			t.Errorf("gaps: %+v", ann.gaps)
		}
		srv.ForgetLog("r") // and while it is read
		tell(t, bob.im, numbers(20, 30)...)
		ann.expect(t, append([]string{"gap"}, numbers(20, 30)...)...)
	})
}

func TestALostReceiptMakesNoMessageAppearTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		for i := range 10 {
			srv.LoseReceipts(1)
			receipt, err := bob.im.SendText(t.Context(), "r", &imv1.TextContent{Text: strconv.Itoa(i)})
			if err != nil || !receipt.Appended || !receipt.Duplicate {
				t.Fatalf("%+v, %v", receipt, err)
			}
		}
		ann.expect(t, numbers(0, 10)...)
		if got := srv.Server().Stats(); got.Duplicates != 10 {
			t.Errorf("stats: %+v", got)
		}
	})
}

func TestReceiptsThatComeTwiceChangeNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t)
		srv.RepeatReceipts(true)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		tell(t, bob.im, numbers(0, 100)...)
		ann.expect(t, numbers(0, 100)...)
	})
}

func TestReplaysThatOverlapAreHandledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t)
		srv.OverlapReplays(5)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		for i := range 10 {
			tell(t, bob.im, numbers(10*i, 10*i+10)...)
			srv.Cut()
		}
		time.Sleep(time.Minute)
		ann.expect(t, numbers(0, 100)...)
		if got := ann.Stats(); got.Repeats == 0 || got.Gaps != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}

func TestAReplayThatOverlapsByMoreThanTheWindowDoesNotStandStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t, server.WithWindow(1<<10))
		srv.OverlapReplays(100)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		tell(t, bob.im, numbers(0, 100)...)
		srv.Cut()
		time.Sleep(time.Minute)
		tell(t, bob.im, numbers(100, 200)...)
		time.Sleep(time.Minute)
		ann.expect(t, numbers(0, 200)...)
	})
}

func TestASlowHandlerLosesNothingAndHandlesNothingTwiceOverManyCuts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t, server.WithWindow(4<<10))
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		ann.mu.Lock()
		ann.slow = 100 * time.Millisecond
		ann.mu.Unlock()
		for i := range 20 {
			tell(t, bob.im, numbers(50*i, 50*i+50)...)
			srv.Cut()
		}
		time.Sleep(5 * time.Minute)
		ann.expect(t, numbers(0, 1000)...)
		if got := ann.Stats(); got.Gaps != 0 || got.Errors != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}

func TestSendsWhileTheServerIsAwayGoOutInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		srv.Stop()
		var sent []*runtime.Pending
		for _, word := range numbers(0, 100) {
			sent = append(sent, bob.im.SendTextAsync(t.Context(), "r", &imv1.TextContent{Text: word}))
		}
		time.Sleep(time.Minute)
		srv.Start()
		for _, pending := range sent {
			if receipt, err := pending.Wait(t.Context()); err != nil || !receipt.Appended {
				t.Fatalf("%+v, %v", receipt, err)
			}
		}
		time.Sleep(time.Minute) // ann may be back later
		ann.expect(t, numbers(0, 100)...)
	})
}

func TestACursorFileCarriesASessionOverARestartOfItsProcess(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/cursors"
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t)
		bob := listen(t, srv, "bob")
		for i := range 3 {
			store, err := session.OpenCursorFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ann := listen(t, srv, "ann", session.WithCursorStore(store))
			tell(t, bob.im, numbers(20*i, 20*i+10)...)
			heard := numbers(max(0, 20*i-10), 20*i+10)
			ann.expect(t, heard...)
			_ = ann.Close()
			<-ann.Done()
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			tell(t, bob.im, numbers(20*i+10, 20*i+20)...)
		}
	})
}

func TestManyRoomsResumeThoughTheirCursorsDoNotFitIntoHello(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kept(t)
		ann, bob := listen(t, srv, "ann"), listen(t, srv, "bob")
		const rooms = 200
		room := func(i int) string { return fmt.Sprintf("room-with-a-rather-long-name-%d", i) }
		for i := range rooms {
			for _, l := range []*listener{ann, bob} {
				if _, err := l.JoinRoom(t.Context(), room(i), session.WithNickname("nick")); err != nil {
					t.Fatal(err)
				}
			}
		}
		srv.Restart()
		sent := make([]*runtime.Pending, rooms)
		for i := range rooms {
			sent[i] = bob.im.SendTextAsync(t.Context(), room(i), &imv1.TextContent{Text: "x"})
		}
		for _, pending := range sent {
			if _, err := pending.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		ann.expect(t, strings.Split(strings.Repeat("x ", rooms-1)+"x", " ")...)
		if got := ann.Stats(); got.Gaps != 0 || got.Errors != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}
