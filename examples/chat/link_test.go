package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestWhatIsTypedWhileTheServerIsGoneIsSentWhenItIsBack(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, bob *person) {
		srv.Stop()
		synctest.Wait()
		if got := ann.out.take(); !strings.HasPrefix(got, "! connection lost: ") ||
			!strings.HasSuffix(got, "\n* reconnecting; what you type waits") || strings.Count(got, "\n") != 1 {
			ann.t.Error(got)
		}
		time.Sleep(10 * time.Second) // a dozen tries, all in vain for one reason
		synctest.Wait()
		if got := ann.out.take(); !strings.HasPrefix(got, "! try 1 to reconnect: ") ||
			!strings.Contains(got, "nothing listens there") || strings.Count(got, "\n") != 0 {
			ann.t.Error(got)
		}
		ann.types("are you there?")
		ann.sees("")
		bob.overlooks()
		srv.Start()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := ann.out.take(); !strings.Contains(got, "* connected again") {
			ann.t.Error(got)
		}
		ann.types("/stats")
		if got := ann.out.take(); !strings.HasPrefix(got, "* connected; 1 sent, ") || !strings.Contains(got, ", 1 reconnects;") {
			ann.t.Error(got)
		}
		srv.Stop()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := ann.out.take(); strings.Count(got, "! try ") != 1 { // a new outage is told of, once
			ann.t.Error(got)
		}
		srv.Start()
		time.Sleep(3 * time.Second)
		ann.overlooks()
		bob.types("I am")
		if got := bob.out.take(); !strings.Contains(got, "* connected again") {
			ann.t.Error(got)
		}
		ann.sees("[lobby] <bob> I am")
	})
}

func TestARestartIsToldOnceAndTheTalkGoesOn(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, bob *person) {
		ann.types("/join attic")
		bob.types("/join attic")
		srv.Restart()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := ann.out.take()
		for _, once := range []string{"! connection lost: ", "* reconnecting; what you type waits\n", "* connected again"} {
			if strings.Count(got, once) != 1 {
				ann.t.Errorf("%q is not there once:\n%s", once, got)
			}
		}
		bob.overlooks()
		ann.types("/rooms", "still here")
		ann.sees("* you are in:", "    attic ← you talk here", "    lobby")
		bob.sees("[attic] <ann> still here")
	})
}

func TestALineThatMayHaveArrivedIsToldApart(t *testing.T) {
	t.Parallel()
	asleep := func(ctx context.Context, _ *imv1sdk.TextMessage) error {
		<-ctx.Done()
		return ctx.Err()
	}
	inHall(t, func(_ *imtest.Server, ann, _ *person) {
		ann.types("hello")
		ann.sees("")
		time.Sleep(time.Minute) // longer than the timeout
		synctest.Wait()
		const want = `! send Text (room "lobby"): the message may have been delivered, or not: `
		if got := ann.out.take(); !strings.Contains(got, want) || !strings.Contains(got, "; look before you send it again") {
			ann.t.Error(got)
		}
	}, imtest.WithSetup(func(srv *server.Server) error {
		_, err := imv1server.Register(srv, imv1server.Hooks{OnText: asleep})
		return err
	}))
}

func TestALineWaitsNoLongerThanTheTimeout(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, _ *person) {
		srv.Stop()
		time.Sleep(5 * time.Second)
		ann.overlooks()
		ann.types("hello?")
		ann.sees("")
		time.Sleep(time.Minute)
		ann.sees(`! send Text (room "lobby"): the message was not delivered: there was no stream, the session is reconnecting: given up after 30s (-timeout)`)
	})
}

func TestQuitDoesNotWaitForALostConnection(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, _ *person) {
		srv.Stop()
		time.Sleep(5 * time.Second)
		ann.types("hello?")
		ann.overlooks()
		start := time.Now()
		ann.types("/quit")
		if err := ann.leaves(); err != nil {
			ann.t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			ann.t.Errorf("it took %s", took)
		}
		ann.sees(`! send Text (room "lobby"): the message was not delivered: there was no stream, the session is reconnecting: context canceled`, "* bye")
	})
}

func TestQuitEndOfInputAndInterruptEndIt(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *person){
		"quit":         func(p *person) { p.types("/quit") },
		"end of input": func(p *person) { _ = p.in.Close() },
		"interrupt":    func(p *person) { p.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHall(t, func(_ *imtest.Server, ann, bob *person) {
				ann.types("last words")
				end(ann)
				if err := ann.leaves(); err != nil {
					ann.t.Error(err)
				}
				ann.sees("* bye")
				bob.sees("[lobby] <ann> last words", "[lobby] * ann has left; 1 here")
			})
		})
	}
}

func TestInputThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		_ = ann.in.CloseWithError(errors.New("the terminal burns"))
		if err := ann.leaves(); err == nil || err.Error() != "the terminal burns" {
			ann.t.Error(err)
		}
		go io.WriteString(bob.in, strings.Repeat("x", maxLine)) //nolint:errcheck // nobody reads all of it
		if err := bob.leaves(); err == nil || err.Error() != "a line of the input has more than 1048576 bytes" {
			ann.t.Error(err)
		}
	})
}

func TestAServerThatRefusesIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refuse := server.WithJoinHook(func(_ context.Context, join *server.Join) error {
			if join.RoomID == "vault" {
				return status.Error(codes.PermissionDenied, "members only")
			}
			return nil
		})
		srv := imtest.NewServer(t, imtest.WithServerOptions(refuse))
		vault := func(s *settings) { s.room = "vault" }
		if err := at(srv).sit(t, "ann", vault).leaves(); err == nil || err.Error() != `connect to "passthrough:///imtest": PermissionDenied: members only` {
			t.Error(err)
		}
		bob := at(srv).sit(t, "bob", vault, func(s *settings) { s.nickname = "Bob" })
		bob.sees("* connecting to hall as bob …", connected, `! join room (room "vault"): PermissionDenied: members only`)
	})
}
