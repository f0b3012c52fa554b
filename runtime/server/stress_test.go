package server_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc/metadata"
)

// TestNothingIsLeftAfterManyHaveComeAndGone lets users join, talk, leave and break off in every order.
func TestNothingIsLeftAfterManyHaveComeAndGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		stub := s.stub()
		var users sync.WaitGroup
		for user := range 8 {
			users.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(user)))
				for round := range 10 {
					visit(t, stub, random, user, round)
				}
			})
		}
		users.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if stats := s.server.Stats(); stats.Streams != 0 || stats.Rooms != 0 || stats.Received == 0 || stats.Panics != 0 {
			t.Errorf("stats: %+v", stats)
		}
	})
}

func visit(t *testing.T, stub imv1.IMServiceClient, random *rand.Rand, user, round int) {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "user-id", strconv.Itoa(user/2), "room-id", "0") // two streams a user
	rpc, err := stub.StreamMessages(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		for err := error(nil); err == nil; {
			_, err = rpc.Recv()
		}
	})
	for i := range 20 {
		room := strconv.Itoa(random.IntN(3))
		switch random.IntN(6) {
		case 0:
			_, _ = stub.LeaveRoom(ctx, &imv1.LeaveRoomRequest{RoomId: room})
		case 1:
			_, _ = stub.JoinRoom(ctx, &imv1.JoinRoomRequest{RoomId: room})
		case 2:
			_, _ = stub.GetRoomInfo(ctx, &imv1.GetRoomInfoRequest{RoomId: room})
		default:
			id := strconv.Itoa(round*100 + i)
			_ = rpc.Send(&imv1.MessageRequest{MessageId: id, RoomId: room, Type: text, Content: []byte(id)})
		}
	}
	_ = rpc.CloseSend()
}

func TestAReaderThatCatchesUpMissesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		reader, writer := s.today("reader", "r"), s.today("writer", "r")
		page := strings.Repeat("x", 1000)
		reader.want(joinRoom)
		written, read := 0, 0
		for range 3 {
			for range 1000 { // much more than the connection holds
				writer.say("r", strconv.Itoa(written), page)
				written++
			}
			writer.silent()
			for range 800 {
				if got := reader.want(text).GetMessageId(); got != strconv.Itoa(read) {
					t.Fatalf("got %s, want %d", got, read)
				}
				read++
			}
		}
		for ; read < written; read++ {
			if got := reader.want(text).GetMessageId(); got != strconv.Itoa(read) {
				t.Fatalf("got %s, want %d", got, read)
			}
		}
		reader.silent()
	})
}
