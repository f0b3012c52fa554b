package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// pushing is a server that greets and then sends what the test puts into the channel.
func pushing(known bool) (*script, chan *imv1.MessageResponse) {
	messages := make(chan *imv1.MessageResponse)
	return &script{stream: func(p *peer) error {
		w := welcome()
		if !known {
			w = nil
			if err := p.SendHeader(nil); err != nil {
				return err
			}
		}
		go func() {
			for {
				select {
				case m := <-messages:
					_ = p.push(m)
				case <-p.Context().Done():
					return
				}
			}
		}()
		return p.serve(w, nil)
	}}, messages
}

func textMessage(id, room, content string) *imv1.MessageResponse {
	return &imv1.MessageResponse{MessageId: id, FromUserId: "bob", RoomId: room, Type: textType, Content: []byte(content)}
}

func TestAHandlerGetsTheWholeMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		var got *imv1sdk.TextMessage
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			got = m
			return nil
		}})
		message := textMessage("m", "r", "hi")
		message.Metadata, message.AckRequired = map[string]string{"k": "v"}, true
		message.Seq, message.Epoch, message.Timestamp = 5, 6, timestamppb.Now()
		push <- message
		synctest.Wait()
		if got.ID != "m" || got.From != "bob" || got.RoomID != "r" || got.Content.GetText() != "hi" || string(got.Raw) != "hi" ||
			got.Metadata["k"] != "v" || !got.AckRequired || got.Seq != 5 || got.Epoch != 6 || !got.Time.Equal(time.Now()) {
			t.Errorf("got %+v", got)
		}
		if stats := s.Stats(); stats.Received != 1 {
			t.Errorf("stats: %+v", stats)
		}
	})
}

func TestMessagesAreHandledInOrderPerRoomAndRoomsSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.RoomID == "slow" {
				time.Sleep(time.Minute)
			}
			d.add("%s %s", m.RoomID, m.ID)
			return nil
		}})
		for i := range 3 {
			push <- textMessage(fmt.Sprint(i), "slow", "x")
			push <- textMessage(fmt.Sprint(i), "fast", "x")
		}
		expect(t, "at once", d.take, "fast 0", "fast 1", "fast 2")
		time.Sleep(3 * time.Minute)
		expect(t, "in the end", d.take, "slow 0", "slow 1", "slow 2")
	})
}

func TestNoMoreHandlersRunAtOnceThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		var now, most, done atomic.Int32
		chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			done.Add(1)
			return nil
		}}, session.WithLanes(10, 2))
		began := time.Now()
		for i := range 12 {
			push <- textMessage(fmt.Sprint(i), fmt.Sprint("room ", i%4), "x")
		}
		time.Sleep(6*time.Second - time.Since(began) + time.Millisecond)
		if most.Load() != 2 || done.Load() != 12 {
			t.Errorf("%d handlers at once, %d of 12 done in 6 s", most.Load(), done.Load())
		}
	})
}

func TestAFullLaneMakesTheReaderWaitAndSuspendsTheWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		release := make(chan struct{})
		d := new(diary)
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.RoomID == "slow" {
				<-release
			}
			d.add("%s", m.ID)
			return nil
		}}, session.WithLanes(2, 8))
		for _, id := range []string{"running", "first", "second", "waits"} {
			push <- textMessage(id, "slow", "x")
		}
		push <- textMessage("other", "other room", "x")
		time.Sleep(5 * time.Minute)
		expect(t, "while the lane is full", d.take)
		if s.State() != session.StateConnected || srv.streams() != 1 {
			t.Errorf("the session is %s on stream %d", s.State(), srv.streams())
		}
		close(release)
		time.Sleep(time.Second)
		synctest.Wait()
		got := d.take()
		inOrder := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return id == "other" })
		if !slices.Equal(inOrder, []string{"running", "first", "second", "waits"}) || len(got) != 5 {
			t.Errorf("handled %q", got)
		}
		time.Sleep(5 * time.Minute)
		if srv.streams() != 1 {
			t.Error("the watch did not go on")
		}
	})
}

func TestCloseFreesAReaderThatWaitsForALane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		handled := 0
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(ctx context.Context, _ *imv1sdk.TextMessage) error {
			handled++
			<-ctx.Done()
			return nil
		}}, session.WithLanes(1, 1))
		for range 4 {
			push <- textMessage("", "r", "x")
		}
		synctest.Wait()
		_ = s.Close()
		<-s.Done()
		if handled != 1 {
			t.Errorf("%d messages were handled after Close", handled-1)
		}
	})
}

func TestAPanicIsReportedAndEndsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		var reported error
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.Content.GetText() == "boom" {
				panic("oh no")
			}
			d.add("%s", m.Content.GetText())
			return nil
		}}, session.WithOnError(func(err error) { reported = err }), session.WithOnAck(func(context.Context, session.Ack) { panic("ack") }))
		boom := textMessage("m1", "r", "boom")
		boom.AckRequired = true
		push <- boom
		push <- textMessage("m2", "r", "fine")
		expect(t, "the next message", d.take, "fine")
		if reported == nil || status.Code(reported) != codes.Internal || !strings.Contains(reported.Error(), "the handler panicked: oh no") {
			t.Errorf("OnError: %v", reported)
		}
		push <- &imv1.MessageResponse{Type: ackType, Content: []byte(`{}`)}
		synctest.Wait()
		if !strings.Contains(reported.Error(), "the handler panicked: ack") {
			t.Errorf("OnError: %v", reported)
		}
		if acks := srv.peer(t, 1).all(ackType); len(acks) != 0 || s.State() != session.StateConnected || s.Stats().Errors != 2 {
			t.Errorf("acks %v, state %s, %+v", acks, s.State(), s.Stats())
		}
	})
}

// acked are the ids that the server was sent an ACK for.
func acked(t *testing.T, p *peer) []string {
	t.Helper()
	synctest.Wait()
	var ids []string
	for _, m := range p.all(ackType) {
		var content struct {
			OriginalMessageID string `json:"original_message_id"`
			Success           bool   `json:"success"`
		}
		if err := json.Unmarshal(m.GetContent(), &content); err != nil || !content.Success || m.GetUserId() != "u" || m.GetMessageId() == "" {
			t.Errorf("ACK %v: %v", m, err)
		}
		ids = append(ids, m.GetRoomId()+" "+content.OriginalMessageID)
	}
	return ids
}

func TestAMessageIsAcknowledgedAfterItsHandlerReturnedNil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		release := make(chan struct{})
		chat(t, start(t, srv), imv1sdk.Handlers{
			OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
				<-release
				m.ID, m.RoomID = "changed", "changed"
				if m.Content.GetText() == "bad" {
					return errors.New("failed")
				}
				return nil
			},
			OnInvalid: func(context.Context, *runtime.Incoming) error { return nil },
		}, session.WithUnknown(func(context.Context, *runtime.Incoming) error { return nil }))
		send := func(id, content string, kind imv1.MessageType, ackRequired bool) {
			m := textMessage(id, "r", content)
			m.Type, m.AckRequired = kind, ackRequired
			push <- m
		}
		send("good", "good", textType, true)
		if got := acked(t, srv.peer(t, 1)); len(got) != 0 {
			t.Errorf("acknowledged before the handler returned: %q", got)
		}
		close(release)
		send("bad", "bad", textType, true)
		send("not asked for", "good", textType, false)
		send("invalid", "", textType, true)
		send("unhandled", "{}", imv1.MessageType_MESSAGE_TYPE_AUDIO, true)
		send("unknown", "x", 1000, true)
		if got, want := acked(t, srv.peer(t, 1)), []string{"r good", "r unknown"}; !slices.Equal(got, want) {
			t.Errorf("acknowledged: %q, want %q", got, want)
		}
	})
}

func TestAnAckThatCouldNotGoOutGoesWithTheNextStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		n := start(t, srv)
		release := make(chan struct{})
		s, _ := chat(t, n, imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error { <-release; return nil }})
		message := textMessage("m", "r", "hi")
		message.AckRequired = true
		push <- message
		synctest.Wait()
		n.down()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		close(release)
		synctest.Wait()
		n.up()
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
			t.Fatal(err)
		}
		if got := acked(t, srv.peer(t, srv.streams())); !slices.Equal(got, []string{"r m"}) {
			t.Errorf("acknowledged on the next stream: %q", got)
		}
	})
}

func TestWhatNoHandlerTakesIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		handlers := imv1sdk.Handlers{OnAudio: func(context.Context, *imv1sdk.AudioMessage) error { return errors.New("no space") }}
		note := func(name string) runtime.ReceiveFunc {
			return func(_ context.Context, in *runtime.Incoming) error {
				d.add("%s %d %q %v", name, in.Type, in.Raw, in.Kind)
				return nil
			}
		}
		s, _ := chat(t, start(t, srv), handlers,
			session.WithUnknown(note("unknown")), session.WithUnhandled(note("unhandled")),
			session.WithOnError(func(err error) { d.add("error %v", err) }),
			session.WithOnMessage(func(_ context.Context, in *runtime.Incoming) { d.add("message %d", in.Type) }))
		send := func(kind imv1.MessageType, content string) {
			push <- &imv1.MessageResponse{MessageId: "m" + fmt.Sprint(kind), RoomId: "r", Type: kind, Content: []byte(content)}
			synctest.Wait()
		}
		send(1000, "poll")
		expect(t, "unknown", d.take, "message 1000", `unknown 1000 "poll" <nil>`)
		send(textType, "hi")
		expect(t, "unhandled", d.take, "message 1", `unhandled 1 "hi" Text (1)`)
		send(imv1.MessageType_MESSAGE_TYPE_RICH_TEXT, `{"type`)
		expect(t, "invalid", d.take, "message 3",
			`error handle RichText (room "r"): the content does not parse: not JSON: unexpected end of JSON input`)
		send(imv1.MessageType_MESSAGE_TYPE_AUDIO, `{"audio_id":"a"}`)
		expect(t, "an error", d.take, "message 2", `error handle Audio (room "r"): no space`)
		send(40, "a control frame of the future")
		send(imv1.MessageType_MESSAGE_TYPE_GO_AWAY, "")
		send(heartbeatType, "")
		expect(t, "control frames", d.take)
		want := session.Stats{Received: 4, Unknown: 1, Unhandled: 1, Invalid: 1, Errors: 2, RTT: s.Stats().RTT}
		if got := s.Stats(); got != want {
			t.Errorf("stats: %+v, want %+v", got, want)
		}
	})
}

func TestReceiveInterceptorsStandAroundTheHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			d.add("handler %s", m.Content.GetText())
			return errors.New("hm")
		}}, session.WithReceiveInterceptors(
			func(ctx context.Context, in *runtime.Incoming, next runtime.ReceiveFunc) error {
				d.add("before")
				err := next(ctx, in)
				d.add("after: %v", err)
				return nil
			},
			func(ctx context.Context, in *runtime.Incoming, next runtime.ReceiveFunc) error {
				if string(in.Raw) == "swallow" {
					return nil
				}
				return next(ctx, in)
			}))
		for _, content := range []string{"hi", "swallow"} {
			m := textMessage(content, "r", content)
			m.AckRequired = true
			push <- m
		}
		expect(t, "interceptors", d.take, "before", "handler hi", "after: hm", "before", "after: <nil>")
		if got := acked(t, srv.peer(t, 1)); !slices.Equal(got, []string{"r hi", "r swallow"}) {
			t.Errorf("what the outermost interceptor returns counts: %q", got)
		}
	})
}

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

func TestAcksReachOnAck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(false)
		d := new(diary)
		start(t, srv).connected(t,
			session.WithOnAck(func(_ context.Context, ack session.Ack) {
				d.add("%s@%s %s %t", ack.From, ack.RoomID, ack.Content.GetOriginalMessageId(), ack.Content.GetSuccess())
			}),
			session.WithOnError(func(err error) { d.add("%v", err) }))
		for _, content := range []string{`{"original_message_id":"m","success":true}`, `{"originalMessageId":"n"}`, `{`} {
			push <- &imv1.MessageResponse{FromUserId: "bob", RoomId: "r", Type: ackType, Content: []byte(content)}
			synctest.Wait()
		}
		expect(t, "ACKs", d.take, "bob@r m true", "bob@r n false",
			`receive Ack (room "r"): the content does not parse: not JSON: unexpected end of JSON input`)
	})
}

func TestOnErrorIsNotFlooded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		release := make(chan struct{})
		calls := 0
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(context.Context, *imv1sdk.TextMessage) error {
			return errors.New("x")
		}}, session.WithOnError(func(error) {
			<-release
			calls++
		}))
		for range 1100 {
			push <- textMessage("", "r", "x")
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		if calls != 1025 || s.Stats().Errors != 1100 {
			t.Errorf("%d calls, %d errors", calls, s.Stats().Errors)
		}
	})
}
