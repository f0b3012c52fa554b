package server_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// hooked is a site with the hooks of im.v1.
func hooked(t *testing.T, hooks imv1server.Hooks, opts ...server.Option) (*site, *imv1server.Publisher) {
	t.Helper()
	srv := newServer(t, opts...)
	publisher, err := imv1server.Register(srv, hooks)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, srv), publisher
}

func TestContentOfARegisteredKindIsValidated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind    imv1.MessageType
		content string
		path    string
		words   string
	}{
		"empty text":     {text, "", "text", "invalid content"},
		"not UTF-8":      {text, "\xff", "", "UTF-8"},
		"no audio id":    {audio, `{"duration":3}`, "audio_id", "invalid content"},
		"no JSON at all": {audio, `{"duration":`, "", "does not parse"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := hooked(t, imv1server.Hooks{})
				ben, anna := s.today("ben", "r"), s.knowing("anna", "r", 1, 1)
				ben.want(joinRoom)
				anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: test.kind, Content: []byte(test.content)})
				receipt := anna.wantReceipt()
				wantRefused(t, receipt, codes.InvalidArgument, test.words)
				violations := receipt.GetRefusal().GetViolations()
				if test.path != "" && (len(violations) != 1 || violations[0].GetPath() != test.path || violations[0].GetReason() == "") {
					t.Errorf("violations: %v", violations)
				}
				if test.path != "" && strings.Contains(receipt.GetRefusal().GetMessage(), violations[0].GetReason()) {
					t.Errorf("it says twice that %v", violations)
				}
				ben.silent()
			})
		})
	}
}

func TestAHookAdmitsChangesAndRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		s, _ := hooked(t, imv1server.Hooks{
			OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
				if m.From != "anna" || m.RoomID != "r" || m.ID == "" || !m.Time.Equal(sent) {
					t.Errorf("the hook got %+v", m.Envelope)
				}
				switch m.Content.GetText() {
				case "change me":
					m.Content.Text = "changed"
					m.Metadata = map[string]string{"by": "hook"}
					m.From, m.RoomID, m.ID = "x", "y", "z" // ignored
				case "refuse me":
					return status.Error(codes.FailedPrecondition, "not today")
				case "reject me":
					return errors.New("just no")
				case "break me":
					m.Content.Text = ""
				case "crash":
					return crash(nil)
				}
				return nil
			},
			OnRichText: func(context.Context, *imv1sdk.RichTextMessage) error { return nil },
		})
		ben, anna := s.today("ben", "r"), s.knowing("anna", "r", 1, 1)
		ben.want(joinRoom)
		say := func(kind imv1.MessageType, content string) {
			anna.send(&imv1.MessageRequest{RoomId: "r", Type: kind, Content: []byte(content), Timestamp: timestamppb.New(sent)})
		}
		say(text, "as it is")
		wantTaken(t, anna.wantReceipt())
		ben.wantText("as it is")
		say(text, "change me")
		receipt := anna.wantReceipt()
		wantTaken(t, receipt)
		if got := ben.wantText("changed"); got.GetMetadata()["by"] != "hook" || got.GetFromUserId() != "anna" ||
			got.GetMessageId() != receipt.GetMessageId() {
			t.Errorf("got %v", got)
		}
		say(text, "refuse me")
		wantRefused(t, anna.wantReceipt(), codes.FailedPrecondition, "not today")
		say(text, "reject me")
		wantRefused(t, anna.wantReceipt(), codes.PermissionDenied, "just no")
		say(text, "break me")
		wantRefused(t, anna.wantReceipt(), codes.Internal, "hook for Text made an invalid content", "text")
		say(text, "crash")
		wantRefused(t, anna.wantReceipt(), codes.Internal, "hook for Text failed")
		say(richText, `{ "content":"x",  "unknown": 1 }`) // untouched bytes travel as they came
		wantTaken(t, anna.wantReceipt())
		if got := ben.want(richText); string(got.GetContent()) != `{ "content":"x",  "unknown": 1 }` {
			t.Errorf("got %s", got.GetContent())
		}
		if s.server.Stats().Panics != 1 {
			t.Errorf("stats: %+v", s.server.Stats())
		}
	})
}

func TestARepeatIsRecognisedByWhatTheSenderSentNotByWhatTheHookMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		s, _ := hooked(t, imv1server.Hooks{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			calls.Add(1)
			m.Content.Text += "!"
			return nil
		}})
		anna := s.knowing("anna", "r", 1, 1)
		for want := range 2 {
			anna.say("r", "m", "hi")
			if got := anna.wantReceipt(); got.GetDuplicate() != (want == 1) {
				t.Errorf("got %v", got)
			}
		}
		if calls.Load() != 1 {
			t.Errorf("the hook was asked %d times", calls.Load())
		}
	})
}

// directed registers one kind with the number 1000.
func directed(t *testing.T, srv *server.Server, direction runtime.Direction, hook func() error) *runtime.TypedKind[*wrapperspb.StringValue] {
	t.Helper()
	kind := runtime.NewKind(runtime.KindSpec[*wrapperspb.StringValue]{
		Number: 1000, Name: "Vote", Direction: direction, Encoding: runtime.EncodingRaw,
		New: func() *wrapperspb.StringValue { return &wrapperspb.StringValue{} },
	})
	route := runtime.On(kind, func(context.Context, *runtime.Message[*wrapperspb.StringValue]) error { return hook() })
	if err := srv.Register(runtime.Registration{Package: "votes", Routes: []runtime.Route{route}}); err != nil {
		t.Fatal(err)
	}
	return kind
}

func TestAKindForTheServerIsHandledAndHandedToNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		votes := 0
		kind := directed(t, srv, runtime.DirectionClient, func() error { votes++; return nil })
		s := serve(t, srv)
		ben, anna := s.today("ben", "r"), s.knowing("anna", "r", 1, 1)
		ben.want(joinRoom)
		anna.send(&imv1.MessageRequest{MessageId: "v", RoomId: "r", Type: 1000, Content: []byte("yes")})
		if got := anna.wantReceipt(); got.GetRefusal() != nil || got.GetSeq() != 0 || got.GetEpoch() != 0 || got.GetMessageId() != "v" {
			t.Errorf("got %v", got)
		}
		ben.silent()
		if votes != 1 {
			t.Errorf("the hook saw %d", votes)
		}
		_, err := runtime.Publish(t.Context(), srv, kind, "r", wrapperspb.String("x"), nil)
		wantStatus(t, err, codes.InvalidArgument, "only clients send Vote")
	})
}

func TestAKindOfTheServerIsRefusedFromClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		directed(t, srv, runtime.DirectionServer, func() error { t.Error("the hook was asked"); return nil })
		anna := serve(t, srv).knowing("anna", "r", 1, 1)
		anna.send(&imv1.MessageRequest{MessageId: "v", RoomId: "r", Type: 1000, Content: []byte("yes")})
		wantRefused(t, anna.wantReceipt(), codes.PermissionDenied, "only the server sends Vote")
	})
}

func TestASlowHookDelaysOnlyItsOwnStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{OnText: func(ctx context.Context, m *imv1sdk.TextMessage) error {
			if m.Content.GetText() == "slow" {
				select {
				case <-time.After(time.Hour):
				case <-ctx.Done():
				}
			}
			return nil
		}})
		anna, ben, clara := s.today("anna", "r"), s.today("ben", "r"), s.today("clara", "r")
		anna.say("r", "m", "slow")
		anna.send(&imv1.MessageRequest{Type: heartbeat}) // waits behind it, and longer than silence may last
		begin := time.Now()
		ben.say("r", "m", "quick")
		clara.wantText("quick")
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		anna.wantAfterOthers(heartbeat)
		if waited := time.Since(begin); waited != time.Hour {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestRegisterComesBeforeTheFirstCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t)
		s.today("anna", "r")
		_, err := imv1server.Register(s.server, imv1server.Hooks{})
		if err == nil {
			t.Fatal("it was taken")
		}
		wantWords(t, err.Error(), "register before the first call")
	})
}

func TestAKindIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	if _, err := imv1server.Register(srv, imv1server.Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := imv1server.Register(srv, imv1server.Hooks{}); !errors.Is(err, runtime.ErrKindClaimed) {
		t.Errorf("got %v", err)
	}
}

func TestAHookThatLeavesTooMuchMetadataIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			m.Metadata = make(map[string]string)
			for i := range 65 {
				m.Metadata[strconv.Itoa(i)] = ""
			}
			return nil
		}})
		anna := s.knowing("anna", "r", 1, 1)
		anna.say("r", "m", "x")
		wantRefused(t, anna.wantReceipt(), codes.Internal, "hook for Text left 65 metadata entries", "64")
	})
}

func TestAHookMayAskForAcks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		route := runtime.On(imv1sdk.KindText, func(_ context.Context, m *imv1sdk.TextMessage) error {
			m.AckRequired = true
			return nil
		})
		if err := srv.Register(runtime.Registration{Package: "im.v1", Routes: []runtime.Route{route}}); err != nil {
			t.Fatal(err)
		}
		s := serve(t, srv)
		ben, anna := s.today("ben", "r"), s.knowing("anna", "r", 1, 1)
		ben.want(joinRoom)
		anna.say("r", "m", "x")
		if !ben.wantText("x").GetAckRequired() {
			t.Error("the reader was not asked")
		}
	})
}

func TestOnInvalidSeesWhatIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		var seen []string
		err := srv.Register(runtime.Registration{
			Package: "im.v1", Routes: []runtime.Route{runtime.On(imv1sdk.KindAudio, nil)},
			OnInvalid: func(_ context.Context, in *runtime.Incoming) error {
				seen = append(seen, string(in.Raw))
				return nil // the refusal stays
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		anna := serve(t, srv).knowing("anna", "r", 1, 1)
		anna.send(&imv1.MessageRequest{MessageId: "m", RoomId: "r", Type: audio, Content: []byte("{}")})
		wantRefused(t, anna.wantReceipt(), codes.InvalidArgument, "invalid content")
		if len(seen) != 1 || seen[0] != "{}" {
			t.Errorf("seen %q", seen)
		}
	})
}

func TestANewStreamWaitsForWhatTheOldOneHasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := hooked(t, imv1server.Hooks{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			if m.ID == "old" {
				time.Sleep(time.Second)
			}
			return nil
		}})
		watcher, old := s.today("watcher", "r"), s.knowing("anna", "r", 1, 1)
		watcher.want(joinRoom)
		old.say("r", "old", "old")
		synctest.Wait()
		begin := time.Now()
		s.knowing("anna", "r", 1, 2).say("r", "new", "new")
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		watcher.wantText("old")
		watcher.wantText("new")
	})
}
