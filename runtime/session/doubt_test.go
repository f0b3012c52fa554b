package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

func TestANextStreamWithoutReceiptsLeavesWhatWasSentBeforeInDoubt(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(p *peer) error{
		"it has another header": func(p *peer) error {
			if err := p.SendHeader(nil); err != nil {
				return err
			}
			return p.serve(nil, nil)
		},
		"it is silent": func(p *peer) error {
			return p.serve(nil, func(*imv1.MessageRequest) (bool, error) { return true, nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{health: func(*imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) { // it lives
					return new(imv1.HealthCheckResponse), nil
				}}
				srv.stream = func(p *peer) error {
					if p.number == 1 {
						return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) { return m.GetType() >= 1000, nil })
					}
					return next(p)
				}
				n := start(t, srv)
				s := n.connected(t)
				sent := sendAll(t.Context(), s, "r: 1")
				away(t, n, s)
				sent = append(sent, sendAll(t.Context(), s, "r: 2", "q: 3")...)
				back(t, n, s)
				verdicts(t, "on the next stream", sent, "maybe", "sent", "sent")
				failure(t, sent[0], codes.Unavailable, "the next one gives no receipts")
				arrived(t, srv.peer(t, srv.streams()), "r0 after 0: 2", "q0 after 0: 3")
			})
		})
	}
}

func TestASlowHeaderLeavesNoSendInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &script{}
		srv.stream = func(p *peer) error {
			if p.number == 1 {
				return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) { return m.GetType() >= 1000, nil })
			}
			time.Sleep(3 * time.Second) // longer than the handshake wait
			return p.serve(welcome(), nil)
		}
		n := start(t, srv)
		s := n.connected(t)
		sent := sendAll(t.Context(), s, "r: 1")
		away(t, n, s)
		back(t, n, s)
		verdicts(t, "on the next stream", sent, "appended")
	})
}

func TestARefusalIsCertainOnlyOfTheTryThatItAnswers(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]string{
		codes.AlreadyExists:    "AlreadyExists", // another message has its place
		codes.Aborted:          "maybe",
		codes.PermissionDenied: "maybe", // the first try may have been appended, and the user muted since
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{stream: func(p *peer) error {
					return p.serve(welcome(), func(m *imv1.MessageRequest) (bool, error) {
						if m.GetType() < 1000 || p.number == 1 {
							return m.GetType() >= 1000, nil
						}
						refusal := &imsdkv1.Refusal{Code: int32(code), Message: fmt.Sprintf("no %s", m.GetContent())}
						return true, p.receipt(&imsdkv1.Receipt{
							MessageId: m.GetMessageId(), RoomId: "r", SendNumber: m.GetSendNumber(), Refusal: refusal,
						})
					})
				}}
				n := start(t, srv)
				s := n.connected(t)
				sent := sendAll(t.Context(), s, "r: repeat")
				away(t, n, s)
				sent = append(sent, sendAll(t.Context(), s, "r: first try")...)
				back(t, n, s)
				verdicts(t, "refused", sent, want, code.String())
				failure(t, sent[0], code, "no repeat")
				failure(t, sent[1], code, "the server refused it: no first try")
			})
		})
	}
}
