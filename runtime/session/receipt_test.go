package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestASendReturnsTheReceipt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		s, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		receipt, err := client.SendText(t.Context(), "r", text("hi"),
			runtime.WithMetadata(map[string]string{"k": "v"}), runtime.WithAckRequired())
		if err != nil {
			t.Fatal(err)
		}
		sent := srv.peer(t, 1).all(textType)[0]
		want := runtime.Receipt{
			MessageID: sent.GetMessageId(), RoomID: "r", Appended: true, Seq: 41, Epoch: 7, Time: receipt.Time,
		}
		if *receipt != want || !receipt.Time.Equal(time.Now()) {
			t.Errorf("receipt: %+v, want %+v", *receipt, want)
		}
		if sent.GetUserId() != "u" || sent.GetRoomId() != "r" || string(sent.GetContent()) != "hi" || sent.GetMetadata()["k"] != "v" ||
			!sent.GetAckRequired() || !sent.GetTimestamp().AsTime().Equal(time.Now()) || sent.GetSendNumber() != 1 {
			t.Errorf("sent: %v", sent)
		}
		receipt, err = client.SendText(t.Context(), "r", text("hi"), runtime.WithMessageID("mine"))
		if err != nil || receipt.MessageID != "mine" {
			t.Errorf("an id of one's own: %+v, %v", receipt, err)
		}
		synctest.Wait() // the receipt may be faster than the count
		if got := s.Stats().Sent; got != 2 {
			t.Errorf("sent: %d", got)
		}
	})
}

func TestSendNumbersRiseByRoomAndNameTheUndecidedOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var held []*imv1.MessageRequest
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() != textType {
					return false, nil
				}
				if held = append(held, m); len(held) < 5 {
					return true, nil
				}
				for _, m := range slices.Backward(held) { // each finds its own
					if err := p.receipt(&imsdkv1.Receipt{
						MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), SendNumber: m.GetSendNumber(), Seq: 100 + m.GetSendNumber(),
					}); err != nil {
						return true, err
					}
				}
				return true, nil
			})
		}}
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		var wg sync.WaitGroup
		for i, room := range []string{"a", "a", "b", "a", "b"} {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				receipt, err := client.SendText(t.Context(), room, text(room), runtime.WithMessageID(strconv.Itoa(i)))
				if err != nil || receipt.MessageID != strconv.Itoa(i) || receipt.Seq != []uint64{101, 102, 101, 103, 102}[i] {
					t.Errorf("send %d: %+v, %v", i, receipt, err)
				}
			})
		}
		wg.Wait()
		var got []string
		for _, m := range srv.peer(t, 1).all(textType) {
			got = append(got, fmt.Sprintf("%s%d after %d", m.GetRoomId(), m.GetSendNumber(), m.GetPrevSendNumber()))
		}
		if want := []string{"a1 after 0", "a2 after 1", "b1 after 0", "a3 after 2", "b2 after 1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestARefusalFailsItsSendOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				refusal := &imsdkv1.Refusal{Code: int32(codes.InvalidArgument), Message: "no such thing", Violations: []*imsdkv1.Violation{
					{Path: "text", Reason: "is rude"}, {Path: "text", Reason: "is long"},
				}}
				switch string(m.GetContent()) {
				case "bad code":
					refusal.Code = 4711
				case "rude":
				default:
					return false, nil
				}
				return true, p.receipt(&imsdkv1.Receipt{
					MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), SendNumber: m.GetSendNumber(), Refusal: refusal,
				})
			})
		}}
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		_, err := client.SendText(t.Context(), "r", text("rude"), runtime.WithMessageID("m1"))
		want := `send Text (room "r"): the server refused it: no such thing: text: is rude; text: is long`
		if status.Code(err) != codes.InvalidArgument || err.Error() != want || len(runtime.Violations(err)) != 2 {
			t.Errorf("refused: %v", err)
		}
		if typed, ok := errors.AsType[*runtime.Error](err); !ok || typed.MessageID != "m1" {
			t.Errorf("refused: %#v", err)
		}
		if _, err = client.SendText(t.Context(), "r", text("bad code")); status.Code(err) != codes.Unknown {
			t.Errorf("a code that gRPC does not know: %v", err)
		}
		if _, err := client.SendText(t.Context(), "r", text("fine")); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

func TestASendOutlivesAStreamThatBreaksBeforeItsReceipt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() == textType && p.number == 1 {
					return true, status.Error(codes.Internal, "crash")
				}
				return false, nil
			})
		}}
		s, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		receipt, err := client.SendText(t.Context(), "r", text("hi"))
		if err != nil || !receipt.Appended || receipt.Seq != 41 {
			t.Errorf("send: %+v, %v", receipt, err)
		}
		first, again := srv.peer(t, 1).all(textType)[0], srv.peer(t, 2).all(textType)[0]
		if !proto.Equal(first, again) || again.GetSendNumber() != 1 || again.GetPrevSendNumber() != 0 {
			t.Errorf("sent: %v\nsent again: %v", first, again)
		}
		synctest.Wait() // the receipt may be faster than the count
		if stats := s.Stats(); stats.Sent != 1 || stats.Resent != 1 {
			t.Errorf("stats: %+v", stats)
		}
	})
}

func TestACallerWhoStopsWaitingForTheReceiptIsLeftInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var late *imv1.MessageRequest
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				if m.GetType() == textType && late == nil {
					late = m
					return true, nil
				}
				return false, nil
			})
		}}
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.SendText(ctx, "r", text("hi"))
		if !errors.Is(err, session.ErrMaybeDelivered) || !errors.Is(err, context.DeadlineExceeded) ||
			status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("send: %v", err)
		}
		if _, err := client.SendText(t.Context(), "r", text("next")); err != nil {
			t.Error(err)
		}
		if sent := srv.peer(t, 1).all(textType); sent[1].GetPrevSendNumber() != 1 {
			t.Errorf("the next send does not name the undecided one: %v", sent[1])
		}
		err = srv.peer(t, 1).receipt(&imsdkv1.Receipt{MessageId: late.GetMessageId(), RoomId: "r", SendNumber: 1, Seq: 1})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := client.SendText(t.Context(), "r", text("after the late receipt")); err != nil {
			t.Error(err)
		}
		if sent := srv.peer(t, 1).all(textType); sent[2].GetPrevSendNumber() != 0 {
			t.Errorf("the late receipt decided nothing: %v", sent[2])
		}
	})
}

func TestADuplicateAndAMessageThatTheServerKeepsAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		n := start(t, &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				receipt := &imsdkv1.Receipt{MessageId: m.GetMessageId(), RoomId: "r", SendNumber: m.GetSendNumber()}
				switch string(m.GetContent()) {
				case "again":
					receipt.Seq, receipt.Duplicate, receipt.Time = 3, true, timestamppb.New(first)
				case "kept":
				default:
					return false, nil
				}
				return true, p.receipt(receipt)
			})
		}})
		s := n.connected(t)
		receipt, err := s.SendRaw(t.Context(), "r", 1000, []byte("again"))
		if err != nil || !receipt.Duplicate || !receipt.Appended || receipt.Seq != 3 || !receipt.Time.Equal(first) {
			t.Errorf("again: %+v, %v", receipt, err)
		}
		if receipt, err = s.SendRaw(t.Context(), "r", 1000, []byte("kept")); err != nil || receipt.Appended || !receipt.Time.IsZero() {
			t.Errorf("kept: %+v, %v", receipt, err)
		}
	})
}
