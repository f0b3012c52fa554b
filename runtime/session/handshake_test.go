package session_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

const (
	heartbeatType = imv1.MessageType_MESSAGE_TYPE_HEARTBEAT
	textType      = imv1.MessageType_MESSAGE_TYPE_TEXT
	ackType       = imv1.MessageType_MESSAGE_TYPE_ACK
	joinType      = imv1.MessageType_MESSAGE_TYPE_JOIN
	leaveType     = imv1.MessageType_MESSAGE_TYPE_LEAVE
)

func TestAStreamStartsWithUserRoomHelloAndAHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		s := start(t, srv).connected(t, session.WithRoom("r"), session.WithAgent("tests/1"))
		synctest.Wait()
		p := srv.peer(t, 1)
		if user, room := p.md.Get("user-id"), p.md.Get("room-id"); !slices.Equal(user, []string{"u"}) || !slices.Equal(room, []string{"r"}) {
			t.Errorf("user-id %q, room-id %q", user, room)
		}
		hello := p.hello
		if hello.GetVersion() != 1 || hello.GetSessionId() == 0 || hello.GetStreamNumber() != 1 || hello.GetAgent() != "tests/1" ||
			hello.GetHeartbeatInterval().AsDuration() != 10*time.Second || hello.GetHeartbeatTimeout().AsDuration() != 5*time.Second {
			t.Errorf("Hello: %v", hello)
		}
		if !slices.Equal(hello.GetCapabilities(), []imsdkv1.Capability{
			imsdkv1.Capability_CAPABILITY_RECEIPTS, imsdkv1.Capability_CAPABILITY_STREAM_ROOMS,
			imsdkv1.Capability_CAPABILITY_RESUME, imsdkv1.Capability_CAPABILITY_FLOW_CONTROL,
			imsdkv1.Capability_CAPABILITY_GO_AWAY,
		}) {
			t.Errorf("capabilities: %v", hello.GetCapabilities())
		}
		first := p.all(0)
		if len(first) != 1 || first[0].GetType() != heartbeatType || string(first[0].GetContent()) != "ping" ||
			first[0].GetUserId() != "u" || first[0].GetRoomId() != "r" || first[0].GetMessageId() == "" {
			t.Errorf("what came first: %v", first)
		}
		want := session.Capabilities{Handshake: true, Receipts: true, StreamRooms: true, Agent: "script"}
		if got := s.Capabilities(); got != want {
			t.Errorf("capabilities: %+v", got)
		}
	})
}

func TestIdsThatNoHeaderCarriesTravelInTheFirstMessageOnly(t *testing.T) {
	t.Parallel()
	for _, ids := range [][2]string{{"张三", "r"}, {"u", "房间"}, {" u", ""}, {"u", "r\n"}} {
		synctest.Test(t, func(t *testing.T) {
			srv := &script{}
			opts := []session.Option{session.WithUser(ids[0])}
			if ids[1] != "" {
				opts = append(opts, session.WithRoom(ids[1]))
			}
			start(t, srv).connected(t, opts...)
			synctest.Wait()
			p := srv.peer(t, 1)
			if len(p.md.Get("user-id"))+len(p.md.Get("room-id")) != 0 {
				t.Errorf("%q: metadata %v", ids, p.md)
			}
			first := p.all(0)[0]
			if first.GetUserId() != ids[0] || first.GetRoomId() != ids[1] {
				t.Errorf("%q: first message %v", ids, first)
			}
			if joins := p.all(joinType); ids[1] != "" && (len(joins) != 1 || joins[0].GetRoomId() != ids[1]) {
				t.Errorf("%q: a room that Welcome does not name is joined by %v", ids, joins)
			}
		})
	}
}

func TestConnectTakesASilentServerForOneOfToday(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(nil, func(*imv1.MessageRequest) (bool, error) { return true, nil })
		}}
		began := time.Now()
		s := start(t, srv).connected(t)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Connect took %s, want the handshake wait of 1s", took)
		}
		if got := s.Capabilities(); got != (session.Capabilities{}) {
			t.Errorf("capabilities: %+v", got)
		}
		receipt, err := s.SendRaw(t.Context(), "r", int32(textType), []byte("hi"))
		if err != nil || receipt.Appended || receipt.MessageID == "" || receipt.RoomID != "r" {
			t.Errorf("send: %+v, %v", receipt, err)
		}
		synctest.Wait()
		text := srv.peer(t, 1).all(textType)
		if len(text) != 1 || text[0].GetSendNumber() != 0 || text[0].GetPrevSendNumber() != 0 {
			t.Errorf("the server got %v", text)
		}
		time.Sleep(10 * time.Minute)
		if s.State() != session.StateConnected || srv.streams() != 1 {
			t.Errorf("after ten silent minutes the session is %s on stream %d", s.State(), srv.streams())
		}
	})
}

func TestAHeaderWithoutOurKeyIsAServerOfTodayAtOnce(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]metadata.MD{
		"other keys":      metadata.Pairs("server", "im/1.2"),
		"empty":           {},
		"unreadable":      metadata.Pairs("imsdk-welcome-bin", "\xff\xff\xff"),
		"without version": metadata.Pairs("imsdk-welcome-bin", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{stream: func(p *peer) error {
					if err := p.SendHeader(header); err != nil {
						return err
					}
					return p.serve(nil, nil)
				}}
				began := time.Now()
				s := start(t, srv).connected(t)
				if took := time.Since(began); took != 0 {
					t.Errorf("Connect took %s", took)
				}
				if s.Capabilities().Handshake {
					t.Error("the session believes in a handshake")
				}
			})
		})
	}
}

func TestALateWelcomeSwitchesTheContractOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			if _, err := p.read(); err != nil {
				return err
			}
			time.Sleep(3 * time.Second)
			return p.serve(welcome(), nil)
		}}
		s := start(t, srv).connected(t)
		if s.Capabilities().Handshake {
			t.Error("the handshake is there before Welcome")
		}
		time.Sleep(2500 * time.Millisecond)
		if !s.Capabilities().Receipts {
			t.Errorf("capabilities after a late Welcome: %+v", s.Capabilities())
		}
		receipt, err := s.SendRaw(t.Context(), "r", int32(textType), []byte("hi"))
		if err != nil || !receipt.Appended || receipt.Seq != 41 || receipt.Epoch != 7 || receipt.Time.IsZero() {
			t.Errorf("send: %+v, %v", receipt, err)
		}
	})
}

func TestWelcomeMayAskForAShorterHeartbeat(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]int{0: 6, 5 * time.Second: 12, time.Hour: 6} {
		synctest.Test(t, func(t *testing.T) {
			srv := &script{stream: func(p *peer) error {
				w := welcome()
				w.HeartbeatInterval = durationpb.New(asked)
				return p.serve(w, nil)
			}}
			start(t, srv).connected(t)
			time.Sleep(59 * time.Second)
			if got := len(srv.peer(t, 1).all(heartbeatType)); got != want {
				t.Errorf("asked for %s: %d heartbeats in a minute, want %d", asked, got, want)
			}
		})
	}
}

func TestTheRoundTripOfAHeartbeatIsMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{stream: func(p *peer) error {
			return p.serve(welcome(), func(*imv1.MessageRequest) (bool, error) {
				time.Sleep(30 * time.Millisecond)
				return false, nil
			})
		}}
		s := start(t, srv).connected(t)
		if s.Stats().RTT != 0 {
			t.Errorf("before the answer: %s", s.Stats().RTT)
		}
		time.Sleep(time.Second)
		if got := s.Stats().RTT; got != 30*time.Millisecond {
			t.Errorf("RTT: %s", got)
		}
	})
}

func TestASilentServerIsDeadOnceItIsKnownToAnswer(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]*imsdkv1.Welcome{"by the handshake": welcome(), "by an answer of today": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{stream: func(p *peer) error {
					return p.serve(w, func(*imv1.MessageRequest) (bool, error) { return len(p.all(heartbeatType)) > 1, nil })
				}}
				var lost []error
				var when time.Time
				s := start(t, srv).connected(t, session.WithOnDisconnect(func(err error) {
					lost, when = append(lost, err), time.Now()
				}))
				began := time.Now()
				if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if silent := when.Sub(began); silent != 15*time.Second {
					t.Errorf("it took %s, want interval and timeout, 15s", silent)
				}
				if len(lost) != 1 || !strings.Contains(lost[0].Error(), "the server is silent") {
					t.Errorf("OnDisconnect: %v", lost)
				}
			})
		})
	}
}
