package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestASessionComesBackHoweverLongItTakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given, conn bool
		slowest     time.Duration // how long the connection itself may wait before it dials again
	}{
		"own connection":              {},
		"given client and connection": {given: true, conn: true},
		"given client":                {given: true, slowest: 2*time.Minute + 24*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &script{}
				n := start(t, srv)
				s := n.session(t)
				if test.given {
					client, conn := n.client(t)
					opts := []session.Option{session.WithUser("u")}
					if test.conn {
						opts = append(opts, session.WithConn(conn))
					}
					var err error
					if s, err = session.New(client, opts...); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = s.Close(); <-s.Done() })
				}
				connect(t, s)
				for _, away := range []time.Duration{0, 100 * time.Millisecond, 3 * time.Second, 10 * time.Minute, time.Hour} {
					n.down()
					if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
						t.Fatal(err)
					}
					time.Sleep(away)
					n.up()
					back := time.Now()
					if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
						t.Fatal(err)
					}
					limit := min(20*time.Second, 4*away+time.Second) + 200*time.Millisecond + test.slowest
					if took := time.Since(back); took > limit {
						t.Errorf("away for %s, back after %s", away, took)
					}
					if _, err := s.SendRaw(t.Context(), "r", 1000, nil); err != nil {
						t.Errorf("send after %s: %v", away, err)
					}
					time.Sleep(time.Minute)
				}
			})
		})
	}
}

func TestAPauseEndsWhenTheConnectionIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		s := n.connected(t, session.WithReconnect(session.Reconnect{Wait: func(attempt int, _ error) time.Duration {
			return []time.Duration{5 * time.Second, 10 * time.Second, time.Hour, time.Hour}[attempt-1]
		}}))
		n.down()
		time.Sleep(12 * time.Second) // one try has failed, the next one dials for longer than it waits
		n.mu.Lock()
		n.slow = 3 * time.Second
		n.mu.Unlock()
		n.up()
		began := time.Now()
		if err := s.WaitState(t.Context(), session.StateConnected); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("back after %s", took)
		}
	})
}

func TestWhatIsTriedAgainFindsAServerThatHasComeUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, counting("a"))
		s := n.session(t)
		n.down()
		for range 3 {
			if err := s.Connect(t.Context()); status.Code(err) != codes.Unavailable {
				t.Errorf("Connect to nobody: %v", err)
			}
			if _, err := s.HealthCheck(t.Context(), ""); status.Code(err) != codes.Unavailable {
				t.Errorf("HealthCheck of nobody: %v", err)
			}
			time.Sleep(time.Second)
		}
		n.up()
		began := time.Now()
		connect(t, s)
		if took := time.Since(began); took > time.Second {
			t.Errorf("Connect took %s", took)
		}

		s = n.session(t)
		n.down()
		if _, err := s.HealthCheck(t.Context(), ""); err == nil {
			t.Error("HealthCheck of nobody")
		}
		n.up()
		_, _ = s.HealthCheck(t.Context(), "") // may find the connection down, and has it dial
		time.Sleep(time.Second)
		if _, err := s.HealthCheck(t.Context(), ""); err != nil {
			t.Errorf("HealthCheck: %v", err)
		}
	})
}

func TestTriesAreSpreadAndSlowDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{})
		s := n.connected(t)
		time.Sleep(time.Minute)
		n.down()
		if err := s.WaitState(t.Context(), session.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		n.mu.Lock()
		dials := slices.Clone(n.dials[1:])
		n.mu.Unlock()
		// At most 20 s and on average 10 s apart, in the long run.
		if len(dials) < 240 || len(dials) > 540 {
			t.Errorf("%d tries in an hour", len(dials))
		}
		early, same := 0, 0
		for i, at := range dials[1:] {
			wait := at.Sub(dials[i])
			if wait > 20*time.Second+300*time.Millisecond {
				t.Errorf("try %d waited %s", i, wait)
			}
			if at.Sub(dials[0]) < 2*time.Second {
				early++
			}
			if i > 0 && wait == dials[i].Sub(dials[i-1]) {
				same++
			}
		}
		if early < 1 || same > len(dials)/10 {
			t.Errorf("%d tries in the first 2 s; %d waits like the one before", early, same)
		}
	})
}

func TestTheWaitStartsFromBaseOnlyAfterAStableStream(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lives time.Duration
		want  []int
	}{
		"short streams":  {lives: 9 * time.Second, want: []int{1, 2, 3, 4}},
		"stable streams": {lives: 10 * time.Second, want: []int{1, 1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var attempts []int
				var causes []error
				n := start(t, &script{stream: func(p *peer) error {
					if p.number > 4 {
						return p.serve(welcome(), nil)
					}
					if err := p.greet(welcome()); err != nil {
						return err
					}
					time.Sleep(test.lives)
					return status.Error(codes.Aborted, "again")
				}})
				s := n.connected(t, session.WithReconnect(session.Reconnect{Wait: func(attempt int, cause error) time.Duration {
					attempts, causes = append(attempts, attempt), append(causes, cause)
					return time.Second
				}}))
				time.Sleep(time.Minute)
				synctest.Wait()
				if !slices.Equal(attempts, test.want) || s.State() != session.StateConnected {
					t.Errorf("attempts %v, want %v; the session is %s", attempts, test.want, s.State())
				}
				if status.Code(causes[0]) != codes.Aborted {
					t.Errorf("cause: %v", causes[0])
				}
			})
		})
	}
}

func TestTriesThatAreUsedUpCloseTheSession(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy session.Reconnect
		tries  int
		want   string
	}{
		"three": {session.Reconnect{Attempts: 3}, 3, "gave up after 3 tries"},
		"none":  {session.Reconnect{Disabled: true}, 0, "reconnecting is switched off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := start(t, &script{})
				d := new(diary)
				s := n.connected(t, append(d.callbacks(), session.WithReconnect(test.policy))...)
				synctest.Wait()
				d.take()
				n.down()
				if err := s.WaitState(t.Context(), session.StateClosed); err != nil {
					t.Fatal(err)
				}
				<-s.Done()
				lines := d.take()
				if tries := len(slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
					return !strings.Contains(line, "to reconnect: connect to \"passthrough:///script\": ")
				})); tries != test.tries {
					t.Errorf("%d tries were reported, want %d:\n%s", tries, test.tries, strings.Join(lines, "\n"))
				}
				if s.Err() == nil || !strings.Contains(s.Err().Error(), test.want) {
					t.Errorf("Err: %v", s.Err())
				}
				_, err := s.SendRaw(t.Context(), "r", 1000, nil)
				if !errors.Is(err, session.ErrClosed) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("send: %v", err)
				}
				_ = s.Close()
			})
		})
	}
}

func TestARefusedSessionTriesOnAtTheLongestWait(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.InvalidArgument} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var when []time.Time
			d := new(diary)
			s := start(t, &script{stream: func(p *peer) error {
				mu.Lock()
				when = append(when, time.Now())
				mu.Unlock()
				switch p.number {
				case 1:
					err := p.greet(welcome())
					time.Sleep(time.Second)
					return err
				case 2, 3, 4:
					return status.Error(code, "refused")
				default:
					return p.serve(welcome(), nil)
				}
			}}).connected(t, session.WithOnError(func(err error) {
				if status.Code(err) != code {
					t.Errorf("OnError: %v", err)
				}
				d.add("%v", err)
			}))
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if s.State() != session.StateConnected || len(when) != 5 || len(d.take()) != 3 {
				t.Fatalf("%s: the session is %s after %d streams", code, s.State(), len(when))
			}
			for i := 2; i < 5; i++ {
				if wait := when[i].Sub(when[i-1]); wait < 10*time.Second || wait > 20*time.Second {
					t.Errorf("%s: try %d after %s", code, i, wait)
				}
			}
		})
	}
}

func TestCloseEndsEveryWaitOfAReconnect(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"early": time.Millisecond, "late": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := start(t, &script{})
				s := n.connected(t)
				n.down()
				time.Sleep(after)
				began := time.Now()
				_ = s.Close()
				<-s.Done()
				if took := time.Since(began); took != 0 {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestCloseEndsAConnectThatRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, &script{stream: func(p *peer) error { <-p.Context().Done(); return nil }})
		s := n.session(t, session.WithHandshakeWait(time.Hour), session.WithConnectTimeout(time.Hour))
		failed := make(chan error)
		go func() { failed <- s.Connect(context.Background()) }()
		synctest.Wait()
		_ = s.Close()
		if err := <-failed; !errors.Is(err, session.ErrClosed) {
			t.Errorf("Connect: %v", err)
		}
		<-s.Done()
	})
}

func TestAWaitThatPanicsIsTheDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 10)
		n := start(t, new(script))
		s := n.connected(t, session.WithOnError(func(err error) { told <- err }),
			session.WithReconnect(session.Reconnect{Wait: func(int, error) time.Duration {
				panic("no idea") //nolint:forbidigo // as an application's function may
			}}))
		restart(t, n, s)
		if err := <-told; !strings.Contains(err.Error(), "Reconnect.Wait panicked: no idea") {
			t.Errorf("OnError was told %v", err)
		}
	})
}
