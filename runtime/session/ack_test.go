package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

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
