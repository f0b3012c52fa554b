package imtest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestAllReadersSeeOneOrderAndEachSenderItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const senders, each = 5, 100
		srv := imtest.NewServer(t)
		var readers [3]recorder
		for i := range readers {
			s := srv.Dial(fmt.Sprint("reader", i), session.WithRoom("r"))
			_, err := imv1sdk.NewClient(s, imv1sdk.Handlers{
				OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
					readers[i].addf("%s", m.Content.GetText())
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			connect(t, s)
		}
		var sending sync.WaitGroup
		for i := range senders {
			s := srv.Session(fmt.Sprint("sender", i), session.WithRoom("r"))
			sending.Go(func() {
				for n := range each {
					if _, err := s.SendRaw(t.Context(), "r", int32(textType), fmt.Appendf(nil, "%d %03d", i, n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		sending.Wait()
		synctest.Wait()

		order := readers[0].take()
		for i := range readers[1:] {
			if got := readers[i+1].take(); !slices.Equal(got, order) {
				t.Errorf("reader %d saw another order than reader 0", i+1)
			}
		}
		if len(order) != senders*each {
			t.Fatalf("%d messages arrived, %d were sent", len(order), senders*each)
		}
		slices.SortStableFunc(order, func(a, b string) int { return int(a[0]) - int(b[0]) })
		if !slices.IsSorted(order) {
			t.Error("a sender's messages arrived in another order than it sent them")
		}
	})
}

func TestReceiptsAreTrueWhileConnectionsAreCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const senders, each = 4, 200
		srv := imtest.NewServer(t, imtest.WithServerOptions(server.WithRoomPolicy(
			func(context.Context, string) (*imv1.RoomInfo, error) { // the room outlives a moment without users
				return &imv1.RoomInfo{Config: &imv1.RoomConfig{Persistent: true}}, nil
			})))
		var (
			mu              sync.Mutex
			seqs            []uint64
			appended, maybe int
			sending         sync.WaitGroup
		)
		note := func(receipt *runtime.Receipt, err error) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, session.ErrMaybeDelivered):
				maybe++
			case err != nil || !receipt.Appended:
				t.Errorf("receipt %+v, %v", receipt, err)
			default:
				appended++
				seqs = append(seqs, receipt.Seq)
			}
		}
		for i := range senders {
			s := srv.Session(fmt.Sprint("sender", i), session.WithRoom("r"))
			sending.Go(func() {
				for n := range each {
					note(s.SendRaw(t.Context(), "r", int32(textType), fmt.Appendf(nil, "%d-%d", i, n)))
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		for range 10 {
			time.Sleep(2 * time.Second)
			srv.Cut()
		}
		sending.Wait()

		info, err := srv.Server().GetRoomInfo(t.Context(), &imv1.GetRoomInfoRequest{RoomId: "r"})
		if err != nil {
			t.Fatal(err)
		}
		if count := int(info.GetRoomInfo().GetMessageCount()); count < appended || count > appended+maybe {
			t.Errorf("the room has %d messages; %d sends have a receipt, %d may have been delivered", count, appended, maybe)
		}
		slices.Sort(seqs)
		if len(slices.Compact(seqs)) != appended {
			t.Error("two receipts name one place in the log")
		}
	})
}
