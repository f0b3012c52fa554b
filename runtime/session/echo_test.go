package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestOwnMessagesAreDroppedUnlessWanted(t *testing.T) {
	t.Parallel()
	for _, echo := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			srv := &script{stream: func(p *peer) error {
				return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
					if m.GetType() != textType {
						return false, nil
					}
					return false, errors.Join(
						p.push(&imv1.MessageResponse{
							MessageId: m.GetMessageId(), FromUserId: "u", RoomId: "r", Type: textType, Content: []byte("mine"),
							Seq: 1, SessionId: p.hello.GetSessionId(),
						}),
						p.push(&imv1.MessageResponse{
							MessageId: m.GetMessageId(), FromUserId: "u", RoomId: "r", Type: textType, Content: []byte("my other session's"),
							Seq: 2, SessionId: p.hello.GetSessionId() + 1,
						}))
				})
			}}
			d := new(diary)
			var opts []session.Option
			want := []string{"my other session's"}
			if echo {
				opts, want = append(opts, session.WithEcho()), []string{"mine", "my other session's"}
			}
			_, client := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
				d.add("%s", m.Content.GetText())
				return nil
			}}, opts...)
			if _, err := client.SendText(t.Context(), "r", text("x")); err != nil {
				t.Fatal(err)
			}
			expect(t, fmt.Sprintf("echo %t", echo), d.take, want...)
		})
	}
}

func TestOnlyTheLastOwnMessagesAreRecognisedByID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(false)
		d := new(diary)
		s := start(t, srv).connected(t, session.WithUser("用户"), session.WithUnknown(
			func(_ context.Context, in *runtime.Incoming) error {
				d.add("%s", in.Raw)
				return nil
			}))
		var ids []string
		for range 1025 {
			receipt, err := s.SendRaw(t.Context(), "r", 1000, nil)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, receipt.MessageID)
		}
		for name, id := range map[string]string{"the oldest": ids[0], "the second": ids[1], "the last": ids[1024]} {
			push <- &imv1.MessageResponse{MessageId: id, FromUserId: "用户", RoomId: "r", Type: 1000, Content: []byte(name)}
		}
		expect(t, "what is not recognised", d.take, "the oldest")
		if _, err := s.JoinRoom(t.Context(), "r"); err != nil {
			t.Errorf("a call of a user whom no header carries: %v", err)
		}
	})
}

func TestAServerOfTodayIsRecognisedByIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(false)
		srv.send = func(*imv1.SendMessageRequest) (*imv1.SendMessageResponse, error) {
			push <- &imv1.MessageResponse{MessageId: "server-1", FromUserId: "u", RoomId: "r", Type: textType, Content: []byte("unary echo")}
			time.Sleep(time.Second)
			return &imv1.SendMessageResponse{MessageId: "server-1"}, nil
		}
		d := new(diary)
		s, client := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			d.add("%s", m.Content.GetText())
			if m.Content.GetText() == "fails once" && len(d.lines) == 1 {
				return errors.New("no")
			}
			return nil
		}})
		receipt, err := client.SendText(t.Context(), "r", text("x"))
		if err != nil {
			t.Fatal(err)
		}
		push <- &imv1.MessageResponse{MessageId: receipt.MessageID, FromUserId: "u", RoomId: "r", Type: textType, Content: []byte("echo")}
		push <- &imv1.MessageResponse{MessageId: "other", FromUserId: "u", RoomId: "r", Type: textType, Content: []byte("my other device")}
		expect(t, "an echo", d.take, "my other device")
		if _, err := s.SendUnary(t.Context(), &runtime.Outgoing{RoomID: "r", Type: int32(textType), Raw: []byte("y")}); err != nil {
			t.Fatal(err)
		}
		expect(t, "an echo under the server's id", d.take)

		for range 2 {
			push <- textMessage("m1", "r", "once")
			push <- textMessage("m1", "r2", "another room")
			push <- textMessage("", "r", "without an id")
			synctest.Wait()
		}
		synctest.Wait()
		got := d.take()
		slices.Sort(got)
		if want := []string{"another room", "once", "without an id", "without an id"}; !slices.Equal(got, want) {
			t.Errorf("repeats: %q, want %q", got, want)
		}
		failing := textMessage("m2", "r", "fails once")
		failing.AckRequired = true
		for range 3 {
			push <- failing
		}
		expect(t, "a handler that failed", d.take, "fails once", "fails once")
		if got := acked(t, srv.peer(t, 1)); !slices.Equal(got, []string{"r m2", "r m2"}) {
			t.Errorf("a repeat of what was handled is acknowledged again: %q", got)
		}
		time.Sleep(3 * time.Minute)
		push <- textMessage("m1", "r", "a sender that counts from 1 again")
		expect(t, "later", d.take, "a sender that counts from 1 again")
	})
}
