package main

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// serveTCP serves on a free port until the test ends.
func serveTCP(t *testing.T, opts ...grpc.ServerOption) (address string) {
	t.Helper()
	im, err := server.New()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer(append(server.GRPCOptions(), opts...)...)
	imv1.RegisterIMServiceServer(srv, im)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	t.Cleanup(func() {
		im.Close()
		srv.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// process is a running chat.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	errOut bytes.Buffer
}

func start(t *testing.T, binary string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), binary, args...)}
	p.cmd.Stderr = &p.errOut
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// sees reads on until a line is printed.
func (p *process) sees(line string) {
	p.t.Helper()
	var before []string
	for p.out.Scan() {
		if p.out.Text() == line {
			return
		}
		before = append(before, p.out.Text())
	}
	p.t.Fatalf("%q was not printed, but:\n%s\n%s", line, strings.Join(before, "\n"), p.errOut.String())
}

func (p *process) types(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// ends reads the rest and awaits exit code 0.
func (p *process) ends() {
	p.t.Helper()
	p.sees("* bye")
	if err := p.cmd.Wait(); err != nil || p.errOut.Len() > 0 {
		p.t.Fatalf("%v: %s", err, p.errOut.String())
	}
}

func TestTwoTerminalsTalk(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "chat")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	address := serveTCP(t)
	ann := start(t, binary, "-server", address, "-user", "ann")
	ann.sees("* you are in lobby; /help lists the commands")
	bob := start(t, binary, "-target", "static:///"+address, "-user", "bob", "-nick", "Bob", "-room", "lobby")
	ann.sees("[lobby] * bob (Bob) has joined; 2 here")
	bob.sees("* you are in lobby with ann, bob")
	ann.types("hello")
	bob.sees("[lobby] <ann> hello")
	bob.types("hi")
	ann.sees("[lobby] <bob> hi")

	if err := ann.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ann.ends()
	bob.types("/rooms")
	bob.sees("    lobby ← you talk here")
	bob.types("all alone")
	if err := bob.in.Close(); err != nil { // what Ctrl-D does
		t.Fatal(err)
	}
	bob.ends()
}

func TestTheServersCertificateIsChecked(t *testing.T) {
	t.Parallel()
	donor := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	t.Cleanup(donor.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: donor.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	address := serveTCP(t, grpc.Creds(credentials.NewServerTLSFromCert(&donor.TLS.Certificates[0])))
	for name, test := range map[string]struct {
		flag string
		want string
	}{
		"signed by -ca": {"-ca=" + ca, ""},
		"not trusted":   {"-tls", "TLS failed: check the certificate's names, who signed it and its dates"},
		"plaintext":     {"-tls=false", "check the port; for TLS, give session.WithTransportCredentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errOut bytes.Buffer
			args := []string{"-server", address, "-user", "ann", test.flag}
			code := run(t.Context(), args, environment(nil), strings.NewReader("/rooms\n/quit\n"), &out, &errOut)
			if test.want == "" {
				if code != 0 || !strings.Contains(out.String(), "lobby ← you talk here") {
					t.Errorf("exit code %d, %s%s", code, out.String(), errOut.String())
				}
			} else if code != 1 || !strings.Contains(errOut.String(), test.want) {
				t.Errorf("exit code %d, %s%s", code, out.String(), errOut.String())
			}
		})
	}
}
