package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// environment looks names up in a map.
func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func TestSettingsComeFromFlagsThenTheEnvironmentThenDefaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want settings
	}{
		"defaults": {
			args: []string{"-user", "ann"},
			want: settings{target: "127.0.0.1:8083", user: "ann", room: "lobby", timeout: 30 * time.Second},
		},
		"flags": {
			args: []string{
				"-server=im:1", "-user=ann", "-nick=Annika", "-room=", "-timeout=5s",
				"-tls", "-ca=ca.pem", "-cert=c.pem", "-key=k.pem",
			},
			want: settings{
				target: "im:1", user: "ann", nickname: "Annika", timeout: 5 * time.Second,
				tls: tlsSettings{on: true, ca: "ca.pem", cert: "c.pem", key: "k.pem"},
			},
		},
		"environment": {
			env: map[string]string{
				"CHAT_SERVER": "im:1", "CHAT_USER": "ann", "CHAT_NICK": "Annika", "CHAT_ROOM": "attic", "CHAT_TIMEOUT": "1m",
				"CHAT_TLS": "true", "CHAT_CA": "ca.pem", "CHAT_CERT": "c.pem", "CHAT_KEY": "k.pem",
			},
			want: settings{
				target: "im:1", user: "ann", nickname: "Annika", room: "attic", timeout: time.Minute,
				tls: tlsSettings{on: true, ca: "ca.pem", cert: "c.pem", key: "k.pem"},
			},
		},
		"a flag before the environment": {
			args: []string{"-user", "bob"},
			env:  map[string]string{"CHAT_USER": "ann", "CHAT_TARGET": "static:///a:1"},
			want: settings{target: "static:///a:1", user: "bob", room: "lobby", timeout: 30 * time.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseSettings(test.args, environment(test.env), &bytes.Buffer{})
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestWhatIsWrongWithTheSettingsIsExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const flags = "\nchat -h lists the flags.\n"
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		"no user":      {nil, nil, 2, "chat: who are you? Pass -user NAME, or set CHAT_USER" + flags},
		"unknown flag": {[]string{"-usr", "ann"}, nil, 2, "chat: flag provided but not defined: -usr" + flags},
		"too much":     {[]string{"-user", "ann", "bob"}, nil, 2, `chat: unexpected argument "bob": everything is given by flags` + flags},
		"environment":  {nil, map[string]string{"CHAT_TIMEOUT": "soon"}, 2, `chat: the environment variable CHAT_TIMEOUT: "soon": parse error` + flags},
		"no timeout":   {[]string{"-user=ann", "-timeout=0s"}, nil, 2, "chat: -timeout 0s: it must be positive" + flags},
		"no key":       {[]string{"-user=ann", "-cert=c.pem"}, nil, 2, "chat: -cert and -key go together: one is missing" + flags},
		"no ca file":   {[]string{"-user=ann", "-ca=" + dir + "/none"}, nil, 1, "chat: -ca: open " + dir + "/none: no such file or directory\n"},
		"junk ca":      {[]string{"-user=ann", "-ca=" + junk}, nil, 1, "chat: -ca " + junk + ": there is no PEM certificate in it\n"},
		"junk cert": {
			[]string{"-user=ann", "-cert=" + junk, "-key=" + junk},
			nil, 1,
			"chat: -cert and -key: tls: failed to find any PEM data in certificate input\n",
		},
		"no such scheme": {[]string{"-user=ann", "-target=consul://x/y"}, nil, 1, `chat: session.Dial: target "consul://x/y": the scheme "consul" is not known`},
		"long user":      {[]string{"-user=" + strings.Repeat("a", 129)}, nil, 1, "chat: session.Dial: WithUser: "},
		"nobody there":   {[]string{"-user=ann", "-server=127.0.0.1:1"}, nil, 1, `chat: connect to "127.0.0.1:1": nothing listens there: check host and port, and that the server runs: `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errOut bytes.Buffer
			code := run(t.Context(), test.args, environment(test.env), strings.NewReader(""), &out, &errOut)
			if code != test.code || !strings.HasPrefix(errOut.String(), test.want) {
				t.Errorf("exit code %d, %s", code, errOut.String())
			}
		})
	}
}

func TestHelpGoesToStandardOutput(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, environment(map[string]string{"CHAT_TLS": "what?"}), strings.NewReader(""), &out, &errOut); code != 0 || errOut.Len() > 0 {
		t.Errorf("exit code %d, %s", code, errOut.String())
	}
	for _, want := range []string{
		"Chat in a terminal", "\n  -server host:port  CHAT_SERVER\n      the server, as host:port (default 127.0.0.1:8083)\n",
		"\n  -tls               CHAT_TLS\n      use TLS and check the server's certificate\n", "NO_COLOR",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

func TestCtrlCWhileConnectingIsNoError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"-user", "ann"}, environment(nil), strings.NewReader(""), &out, &errOut)
	if code != 0 || errOut.Len() > 0 {
		t.Errorf("exit code %d, %s", code, errOut.String())
	}
}
