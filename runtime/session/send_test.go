package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// chat connects a session with the client of im.v1.
func chat(t *testing.T, n *network, handlers imv1sdk.Handlers, opts ...session.Option) (*session.Session, *imv1sdk.Client) {
	t.Helper()
	s := n.session(t, opts...)
	client, err := imv1sdk.NewClient(s, handlers)
	if err != nil {
		t.Fatal(err)
	}
	connect(t, s)
	return s, client
}

func text(s string) *imv1.TextContent { return &imv1.TextContent{Text: s} }

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
				receipt, err := client.SendText(t.Context(), room, text(room), runtime.WithMessageID(fmt.Sprint(i)))
				if err != nil || receipt.MessageID != fmt.Sprint(i) || receipt.Seq != []uint64{101, 102, 101, 103, 102}[i] {
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

func TestWhatIsWrongWithAMessageLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		s, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		many := make(map[string]string)
		for i := range 65 {
			many[fmt.Sprint(i)] = "x"
		}
		long := strings.Repeat("x", 129)
		ctx := t.Context()
		raw := func(room string, kind int32, content []byte, opts ...runtime.SendOption) error {
			_, err := s.SendRaw(ctx, room, kind, content, opts...)
			return err
		}
		send := func(room string, content *imv1.TextContent, opts ...runtime.SendOption) error {
			_, err := client.SendText(ctx, room, content, opts...)
			return err
		}
		for want, err := range map[string]error{
			`send Text: invalid message: room_id: is empty: give 1 to 128 bytes`:        send("", text("x")),
			`room_id: has 129 bytes: at most 128 are allowed`:                           send(long, text("x")),
			`room_id: is not valid UTF-8`:                                               send("\xff", text("x")),
			`message_id: has 129 bytes`:                                                 send("r", text("x"), runtime.WithMessageID(long)),
			`message_id: is not valid UTF-8`:                                            send("r", text("x"), runtime.WithMessageID("\xff")),
			`metadata: has 65 entries: at most 64 are allowed`:                          send("r", text("x"), runtime.WithMetadata(many)),
			`metadata: has a key or value that is not valid UTF-8`:                      send("r", text("x"), runtime.WithMetadata(map[string]string{"k": "\xff"})),
			`send Text (room "r"): the content is nil`:                                  send("r", nil),
			`send Text (room "r"): the content cannot be encoded: text: invalid UTF-8`:  send("r", text("\xff")),
			`send Text (room "r"): invalid content: text: value length must be`:         send("r", text("")),
			`invalid content: text: value length must be between`:                       send("r", text(strings.Repeat("x", 65537))),
			`content: has 4194305 bytes: at most 4194304 are allowed`:                   raw("r", 1000, make([]byte, 4<<20+1)),
			`with all that goes along: the server takes 4194304`:                        raw("r", 1000, make([]byte, 4<<20)),
			`type: 0 is no kind`:                                                        raw("r", 0, nil),
			`type: -1 is no kind`:                                                       raw("r", -1, nil),
			`type: 8 is HEARTBEAT, which the session sends by itself`:                   raw("r", 8, nil),
			`type: 23 is a control frame of the protocol, which only the session sends`: raw("r", 23, nil),
			`room_id: is empty: give 1 to 128 bytes; message_id: has 129 bytes`:         raw("", 1000, nil, runtime.WithMessageID(long)),
		} {
			if err == nil || !strings.Contains(err.Error(), want) || status.Code(err) != codes.InvalidArgument {
				t.Errorf("%v\n  does not say %q", err, want)
			}
		}
		if _, err := s.Send(ctx, nil); status.Code(err) != codes.InvalidArgument {
			t.Errorf("no message: %v", err)
		}
		server := runtime.Outgoing{RoomID: "r", Kind: &imv1sdk.KindSystem.Kind, Type: imv1sdk.KindSystem.Number, Content: new(imv1.SystemContent)}
		if _, err := s.Send(ctx, &server); err == nil || !strings.Contains(err.Error(), "only the server sends this kind") {
			t.Errorf("a kind of the server's: %v", err)
		}
		synctest.Wait()
		if got := srv.peer(t, 1).all(0); len(got) != 1 || s.State() != session.StateConnected {
			t.Errorf("the server got %v; the session is %s", got, s.State())
		}
	})
}

func TestTheServersLimitHoldsForWholeMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			w := welcome()
			w.Limits = &imsdkv1.Limits{MaxMessageBytes: 1000}
			return p.serve(w, nil)
		}}
		s := start(t, srv).connected(t)
		if _, err := s.SendRaw(t.Context(), "r", 1000, make([]byte, 500)); err != nil {
			t.Error(err)
		}
		_, err := s.SendRaw(t.Context(), "r", 1000, make([]byte, 500),
			runtime.WithMetadata(map[string]string{"k": strings.Repeat("x", 500)}))
		if err == nil || !strings.Contains(err.Error(), "the server takes 1000") {
			t.Errorf("too much metadata: %v", err)
		}
	})
}

func TestAStreamThatBreaksBeforeTheReceiptLeavesDoubt(t *testing.T) {
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
		_, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		_, err := client.SendText(t.Context(), "r", text("hi"))
		if !errors.Is(err, session.ErrMaybeDelivered) || status.Code(err) != codes.Unavailable ||
			!strings.Contains(err.Error(), "may have been delivered") || !strings.Contains(err.Error(), "crash") {
			t.Errorf("send: %v", err)
		}
		receipt, err := client.SendText(t.Context(), "r", text("hi"))
		if err != nil || !receipt.Appended {
			t.Errorf("the next one: %+v, %v", receipt, err)
		}
		if sent := srv.peer(t, 2).all(textType); len(sent) != 1 || sent[0].GetSendNumber() != 2 || sent[0].GetPrevSendNumber() != 0 {
			t.Errorf("on the next stream: %v", sent)
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

func TestASendWaitsForTheNextStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		n := start(t, srv)
		s, client := chat(t, n, imv1sdk.Handlers{})
		n.down()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.SendText(ctx, "r", text("hi"))
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, session.ErrMaybeDelivered) {
			t.Errorf("without a stream: %v", err)
		}
		sent := make(chan error, 2)
		for range cap(sent) {
			go func() {
				_, err := client.SendText(t.Context(), "r", text("hi"))
				sent <- err
			}()
		}
		time.Sleep(time.Minute)
		select {
		case err := <-sent:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		n.up()
		for range cap(sent) {
			if err := <-sent; err != nil {
				t.Errorf("with the next stream: %v", err)
			}
		}
		n.down()
		synctest.Wait()
		go func() {
			_, err := client.SendText(t.Context(), "r", text("hi"))
			sent <- err
		}()
		synctest.Wait()
		_ = s.Close()
		if err := <-sent; !errors.Is(err, session.ErrClosed) {
			t.Errorf("closed while it waits: %v", err)
		}
	})
}

func TestAContextEndsASendThatTheServerDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if err := p.greet(welcome()); err != nil {
				return err
			}
			<-p.Context().Done()
			return nil
		}}
		s := start(t, srv).connected(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var doubt, clear int
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 8 {
			wg.Go(func() {
				_, err := s.SendRaw(ctx, "r", 1000, make([]byte, 1<<20))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, session.ErrMaybeDelivered):
					doubt++
				case errors.Is(err, context.DeadlineExceeded):
					clear++
				default:
					t.Errorf("send: %v", err)
				}
			})
		}
		wg.Wait()
		if clear == 0 || doubt == 0 {
			t.Errorf("%d sends in doubt, %d were certainly not sent", doubt, clear)
		}
	})
}

func TestSendInterceptorsStandAroundEachSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		around := func(name string) runtime.SendInterceptor {
			return func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
				d.add("%s before %s, id %t", name, out.RoomID, out.ID != "")
				out.RoomID += name
				receipt, err := next(ctx, out)
				d.add("%s after %v", name, err)
				return receipt, err
			}
		}
		srv := &script{send: func(*imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
			return new(imv1.SendMessageResponse), nil
		}}
		veto := errors.New("veto")
		s, client := chat(t, start(t, srv), imv1sdk.Handlers{}, session.WithSendInterceptors(around("1"), around("2")),
			session.WithSendInterceptors(func(ctx context.Context, out *runtime.Outgoing, next runtime.SendFunc) (*runtime.Receipt, error) {
				if strings.HasPrefix(out.RoomID, "no") {
					return nil, veto
				}
				out.ID = ""
				return next(ctx, out)
			}))
		if receipt, err := client.SendText(t.Context(), "r", text("x")); err != nil || receipt.RoomID != "r12" || receipt.MessageID == "" {
			t.Errorf("%+v, %v", receipt, err)
		}
		expect(t, "send", d.take, "1 before r, id true", "2 before r1, id true", "2 after <nil>", "1 after <nil>")
		if _, err := s.SendRaw(t.Context(), "no", 1000, nil); !errors.Is(err, veto) {
			t.Errorf("%v", err)
		}
		expect(t, "a veto", d.take, "1 before no, id true", "2 before no1, id true", "2 after veto", "1 after veto")
		if _, err := s.SendUnary(t.Context(), &runtime.Outgoing{RoomID: "r", Type: 1000}); err != nil {
			t.Error(err)
		}
		expect(t, "unary", d.take, "1 before r, id true", "2 before r1, id true", "2 after <nil>", "1 after <nil>")
	})
}

func TestTheSendLimitMakesSendsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, client := chat(t, start(t, &script{}), imv1sdk.Handlers{}, session.WithSendLimit(2, 1))
		began := time.Now()
		for range 5 {
			if _, err := client.SendText(t.Context(), "r", text("x")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("five sends at two a second took %s, want 2s", took)
		}
		if _, err := client.SendText(t.Context(), "r", text("")); status.Code(err) != codes.InvalidArgument || time.Since(began) != 2*time.Second {
			t.Errorf("what is invalid does not wait: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := client.SendText(ctx, "r", text("x")); !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "the send limit") {
			t.Errorf("a deadline that comes first: %v", err)
		}
		failed := make(chan error)
		go func() {
			_, err := client.SendText(t.Context(), "r", text("x"))
			failed <- err
		}()
		synctest.Wait()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) {
			t.Errorf("closed while it waits: %v", err)
		}
	})
}

func TestMessageIDsAreTheSessionsAndNeverRepeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
				return m.GetType() == ackType, nil
			})
		}})
		seen := make(map[string]bool)
		for range 3 {
			s := n.connected(t)
			for range 50 {
				receipt, err := s.SendRaw(t.Context(), "r", 1000, nil)
				if err != nil || seen[receipt.MessageID] || len(receipt.MessageID) > 40 {
					t.Fatalf("%+v, %v", receipt, err)
				}
				seen[receipt.MessageID] = true
			}
			if receipt, err := s.SendRaw(t.Context(), "r", int32(ackType), []byte(`{}`)); err != nil || receipt.Appended {
				t.Errorf("an ACK by hand waits for no receipt: %+v, %v", receipt, err)
			}
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
