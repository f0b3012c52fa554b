package session_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

func TestWhatIsWrongWithAMessageLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		s, client := chat(t, start(t, srv), imv1sdk.Handlers{})
		many := make(map[string]string)
		for i := range 65 {
			many[strconv.Itoa(i)] = "x"
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
		var doubt, unsent int
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
					unsent++
				default:
					t.Errorf("send: %v", err)
				}
			})
		}
		wg.Wait()
		if unsent == 0 || doubt == 0 {
			t.Errorf("%d sends in doubt, %d were certainly not sent", doubt, unsent)
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
		began = time.Now()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) || time.Since(began) != 0 {
			t.Errorf("closed while it waits: %v after %s", err, time.Since(began))
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
