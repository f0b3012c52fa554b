package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

func TestAPanicIsReportedAndEndsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, push := pushing(true)
		d := new(diary)
		var reported error
		s, _ := chat(t, start(t, srv), imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.Content.GetText() == "boom" {
				panic("oh no") //nolint:forbidigo // what is tested
			}
			d.add("%s", m.Content.GetText())
			return nil
		}}, session.WithOnError(func(err error) { reported = err }), session.WithOnAck(func(context.Context, session.Ack) {
			panic("ack") //nolint:forbidigo // what is tested
		}))
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
