package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/imtest"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
	"google.golang.org/grpc"
)

const connected = "* connected to im-grpc-sdk/runtime/server"

// at dials a test's server.
func at(srv *imtest.Server) dialTo {
	return func(user string) dialFunc {
		return func(opts ...session.Option) (*session.Session, error) {
			return srv.Dial(user, append(opts, quick())...), nil
		}
	}
}

// inHall runs a test in a bubble, with ann and bob in the lobby and nothing on their screens.
func inHall(t *testing.T, test func(srv *imtest.Server, ann, bob *person), opts ...imtest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := imtest.NewServer(t, opts...)
		ann, bob := at(srv).sit(t, "ann"), at(srv).sit(t, "bob")
		ann.overlooks()
		bob.overlooks()
		test(srv, ann, bob)
	})
}

func TestTheFirstLinesTellWhereYouAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hall := at(imtest.NewServer(t))
		ann := hall.sit(t, "ann")
		ann.sees("* connecting to hall as ann …", connected, "* you are in lobby; /help lists the commands")
		bob := hall.sit(t, "bob", func(s *settings) { s.nickname = "Bob the Bot" })
		bob.sees("* connecting to hall as bob …", connected, "* you are in lobby with ann, bob")
		ann.sees("[lobby] * bob (Bob the Bot) has joined; 2 here")
		hall.sit(t, "cat", func(s *settings) { s.room = "" }).sees("* connecting to hall as cat …", connected,
			"* you are in no room: /join ROOM enters one, /help lists the commands")
	})
}

func TestTwoTalk(t *testing.T) {
	t.Parallel()
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("hello, bob", "", "   ", "//join is a command\r")
		ann.sees("")
		bob.sees("[lobby] <ann> hello, bob", "[lobby] <ann> /join is a command")
		bob.types("/md **hello**")
		bob.sees("")
		ann.sees("[lobby] <bob> (markdown) **hello**")
	})
}

func TestRoomsAreJoinedAndLeft(t *testing.T) {
	t.Parallel()
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("/join attic", "/rooms", "anybody?")
		ann.sees("* you are in attic with ann", "* you are in:", "    attic ← you talk here", "    lobby")
		bob.sees("")
		bob.types("/join attic", "I am")
		bob.sees("* you are in attic with ann, bob")
		ann.sees("[attic] * bob has joined; 2 here", "[attic] <bob> I am")
		ann.types("/who", "/who lobby")
		ann.sees("* 2 in attic:", "    ann", "    bob", "* 2 in lobby:", "    ann", "    bob")
		ann.types("/join lobby", "back here")
		ann.sees("* you talk in lobby now")
		bob.sees("[lobby] <ann> back here")

		ann.types("/leave")
		bob.sees("[lobby] * ann has left; 1 here")
		ann.types("/leave attic", "/leave", "/leave cellar", "/rooms", "/who", "hello?", "/md hello?", "/audio x.wav")
		const nowhere = "! you are in no room: /join ROOM enters one"
		ann.sees("* you have left lobby", "* you talk in attic now", "* you have left attic", nowhere,
			"! you are not in cellar: /rooms lists where you are", nowhere, nowhere, nowhere, nowhere, nowhere)
		bob.sees("[attic] * ann has left; 1 here")
	})
}

func TestWhoTellsNicknamesAndRoles(t *testing.T) {
	t.Parallel()
	inHall(t, func(srv *imtest.Server, ann, _ *person) {
		cat := srv.Session("cat")
		if _, err := cat.JoinRoom(ann.t.Context(), "lobby", session.WithNickname("Cátia"), session.WithRole("moderator")); err != nil {
			ann.t.Fatal(err)
		}
		ann.overlooks()
		ann.types("/who")
		ann.sees("* 3 in lobby:", "    ann", "    bob", "    cat (Cátia), moderator")
	})
}

func TestAudioIsUploadedWithProgress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "A Tone.WAV")
	if err := os.WriteFile(path, make([]byte, 256<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("/audio " + path)
		printed := ann.out.take()
		before, id, found := strings.Cut(printed, "* A Tone.WAV is sent as audio ")
		const want = "* A Tone.WAV: 25 % of 262144 bytes\n* A Tone.WAV: 50 % of 262144 bytes\n" +
			"* A Tone.WAV: 75 % of 262144 bytes\n* A Tone.WAV: 100 % of 262144 bytes\n"
		if !found || before != want {
			ann.t.Fatalf("printed:\n%s", printed)
		}
		bob.sees("[lobby] <ann> audio " + id + ", A Tone.WAV, wav, 262144 bytes")
	})
}

func TestWhatCannotBeSentIsExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, size := range map[string]int{"empty.wav": 0, "x." + strings.Repeat("y", 65): 1} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const rules = "! this breaks the rules and was not sent:\n    "
	for line, want := range map[string]string{
		"/dance":                       "! unknown command /dance: /help lists the commands; //… sends a line that begins with a slash",
		"/":                            "! unknown command /: /help lists the commands; //… sends a line that begins with a slash",
		"/join":                        "! write /join ROOM",
		"/audio  ":                     "! write /audio FILE",
		"/md":                          "! write /md TEXT",
		"/rooms x":                     `! /rooms stands alone: "x" is too much`,
		"/quit now":                    `! /quit stands alone: "now" is too much`,
		"/who cellar":                  `! get room info (room "cellar"): NotFound: there is no room "cellar" on this server: a room is made when the first user joins it`,
		"caf\xe9":                      `! send Text (room "lobby"): the content cannot be encoded: text: invalid UTF-8`,
		"/md caf\xe9":                  `! send RichText (room "lobby"): the content cannot be encoded: raw_content: invalid UTF-8`,
		"/audio caf\xe9.wav":           `! /audio: there is no file caf\xe9.wav`,
		"/audio " + dir + "/none.wav":  "! /audio: there is no file " + dir + "/none.wav",
		"/audio " + dir:                "! /audio: " + dir + " is no file",
		"/audio " + dir + "/empty.wav": "! /audio: " + dir + "/empty.wav is empty",
		"/audio " + dir + "/x." + strings.Repeat("y", 65): rules + "format: value length must be at most 64 bytes",
		strings.Repeat("x", 65537):                        rules + "text: value length must be between 1 and 65536 bytes, inclusive",
		"/md " + strings.Repeat("x", 65537):               rules + "raw_content: value length must be at most 65536 bytes",
		"/join " + strings.Repeat("x", 129):               rules + "room_id: value length must be between 1 and 128 bytes, inclusive",
	} {
		name, _, _ := strings.Cut(strings.ReplaceAll(line, dir, "DIR"), "xxx")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHall(t, func(_ *imtest.Server, ann, bob *person) {
				ann.types(line)
				ann.sees(want)
				bob.sees("")
				ann.types("and on")
				bob.sees("[lobby] <ann> and on")
			})
		})
	}
}

func TestAnAudioThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "big.wav")
	if err := os.WriteFile(path, make([]byte, 2<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("/audio " + path)
		const want = `! upload audio (room "lobby"): ResourceExhausted: the audio is too large: this server takes 1024 bytes`
		if got := ann.out.take(); !strings.HasSuffix("\n"+got, "\n"+want) { // progress may come before it
			ann.t.Error(got)
		}
		bob.sees("")
	}, imtest.WithServerOptions(server.WithMaxAudioBytes(1<<10)))
}

func TestAMutedUserIsShownAndRefused(t *testing.T) {
	t.Parallel()
	mute := func(_ context.Context, join *server.Join) error {
		join.Muted = join.UserID == "bob"
		return nil
	}
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("/who")
		ann.sees("* 2 in lobby:", "    ann", "    bob, muted")
		bob.types("hello")
		bob.sees(`! send Text (room "lobby"): the server refused it: user "bob" is muted in room "lobby"`)
		ann.sees("")
	}, imtest.WithServerOptions(server.WithJoinHook(mute)))
}

// slow takes 5 ms for each message that it receives.
type slow struct{ grpc.ServerStream }

func (s slow) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	time.Sleep(5 * time.Millisecond) // of the bubble
	return err
}

func TestStatsHaveTheRoundTrip(t *testing.T) {
	t.Parallel()
	slowly := func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		return handle(srv, slow{stream})
	}
	inHall(t, func(_ *imtest.Server, ann, _ *person) {
		time.Sleep(time.Minute)
		ann.types("/stats")
		ann.sees("* connected; 0 sent, 1 received, 0 invalid, 0 unknown, 0 errors, 0 reconnects; round trip 5ms")
	}, imtest.WithGRPCOptions(grpc.StreamInterceptor(slowly)))
}

func TestHelpAndStats(t *testing.T) {
	t.Parallel()
	inHall(t, func(_ *imtest.Server, ann, bob *person) {
		ann.types("/help")
		ann.sees("* commands:",
			"    /join ROOM     enter a room, or talk in one that you are in",
			"    /leave [ROOM]  leave this room, or another",
			"    /who [ROOM]    who is in the room",
			"    /rooms         the rooms that you are in",
			"    /audio FILE    upload a file and send it as audio",
			"    /md TEXT       send rich text: markdown",
			"    /stats         what this session has done",
			"    /help          this list",
			"    /quit          end; so do Ctrl-D and Ctrl-C",
			"    //TEXT         send /TEXT",
			"    anything else  is sent to the room")
		bob.types("hello", "/stats")
		bob.sees("* connected; 1 sent, 0 received, 0 invalid, 0 unknown, 0 errors, 0 reconnects; round trip not known")
		ann.overlooks()
		ann.types("/stats")
		ann.sees("* connected; 0 sent, 2 received, 0 invalid, 0 unknown, 0 errors, 0 reconnects; round trip not known")
	})
}
