package session_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/discovery"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// The tests of this file use real TCP on the loopback: what they read is what a person would.

// serveTCP serves a script on a port of its own.
func serveTCP(t *testing.T, s *script, opts ...grpc.ServerOption) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(opts...)
	imv1.RegisterIMServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// talkTCP gives whoever connects to talk.
func talkTCP(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			talk(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

func dial(t *testing.T, target string, opts ...session.Option) *session.Session {
	t.Helper()
	s, err := session.Dial(target, append([]session.Option{session.WithUser("u")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		<-s.Done()
	})
	return s
}

// certificate makes a self-signed certificate for a name, and the pool that trusts it.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, pool
}

// refusedPort is one that nobody listens on.
func refusedPort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestWhyConnectFailedIsReadable(t *testing.T) {
	t.Parallel()
	wrongName, wrongPool := certificate(t, "other.example")
	clientTLS := credentials.NewTLS(&tls.Config{RootCAs: wrongPool, MinVersion: tls.VersionTLS12})
	wait := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	garbage := func(conn net.Conn) {
		_, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n\r\n"))
		wait(conn)
	}
	refuse := func(err error) *script { return &script{stream: func(*peer) error { return err }} }

	for name, test := range map[string]struct {
		addr string
		opts []session.Option
		code codes.Code
		want []string
	}{
		"nobody listens": {
			addr: refusedPort(t), code: codes.Unavailable, want: []string{"connection refused", "check host and port"},
		},
		"a server of something else": {
			addr: talkTCP(t, garbage), code: codes.Unavailable, want: []string{"does not speak gRPC"},
		},
		"a server that hangs up": {
			addr: talkTCP(t, func(net.Conn) {}), code: codes.Unavailable, want: []string{"does not speak gRPC"},
		},
		"a server that says nothing": {
			addr: talkTCP(t, wait), opts: []session.Option{session.WithConnectTimeout(300 * time.Millisecond)},
			code: codes.DeadlineExceeded, want: []string{"no answer within the connect timeout of 300ms", "CONNECTING"},
		},
		"TLS to a plaintext server": {
			addr: serveTCP(t, &script{}), opts: []session.Option{session.WithTransportCredentials(clientTLS)},
			code: codes.Unavailable, want: []string{"the server speaks plaintext", "WithTransportCredentials"},
		},
		"plaintext to a TLS server": {
			addr: serveTCP(t, &script{}, grpc.Creds(credentials.NewServerTLSFromCert(&wrongName))),
			code: codes.Unavailable, want: []string{"for TLS, give session.WithTransportCredentials"},
		},
		"a certificate for another name": {
			addr: serveTCP(t, &script{}, grpc.Creds(credentials.NewServerTLSFromCert(&wrongName))),
			opts: []session.Option{session.WithTransportCredentials(clientTLS)},
			code: codes.Unavailable, want: []string{"x509", "127.0.0.1", "check the certificate's names"},
		},
		"a user who may not": {
			addr: serveTCP(t, refuse(status.Error(codes.Unauthenticated, "the token has expired"))),
			code: codes.Unauthenticated, want: []string{"Unauthenticated: the token has expired"},
		},
		"a default room that is full": {
			addr: serveTCP(t, refuse(status.Error(codes.ResourceExhausted, `room "r" is full`))),
			opts: []session.Option{session.WithRoom("r")},
			code: codes.ResourceExhausted, want: []string{`room "r" is full`},
		},
		"a server without the service": {
			addr: serveTCP(t, refuse(status.Error(codes.Unimplemented, "unknown service im.v1.IMService"))),
			code: codes.Unimplemented, want: []string{"unknown service"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, test.addr, test.opts...)
			began := time.Now()
			err := s.Connect(t.Context())
			if err == nil {
				t.Fatal("Connect worked")
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if status.Code(err) != test.code {
				t.Errorf("the code is %s, want %s", status.Code(err), test.code)
			}
			for _, want := range append(test.want, "connect to ", test.addr) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if s.State() != session.StateIdle {
				t.Errorf("the session is %s", s.State())
			}
		})
	}
}

// A name that does not resolve gives gRPC a list without servers.
func TestATargetWithoutServersIsReadable(t *testing.T) {
	t.Parallel()
	nowhere := manual.NewBuilderWithScheme("nowhere")
	nowhere.InitialState(resolver.State{})
	s := dial(t, "nowhere:///im", session.WithDiscovery(discovery.NewScheme(nowhere)))
	err := s.Connect(t.Context())
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "the name does not resolve") {
		t.Errorf("got %v", err)
	}
}

func TestConnectMayBeCalledAgainAfterItFailed(t *testing.T) {
	t.Parallel()
	s := dial(t, serveTCP(t, &script{stream: func(p *peer) error {
		if p.number == 1 {
			return status.Error(codes.Unauthenticated, "not yet")
		}
		return p.serve(welcome(), nil)
	}}))
	if err := s.Connect(t.Context()); status.Code(err) != codes.Unauthenticated {
		t.Fatalf("Connect: %v", err)
	}
	connect(t, s)
	if err := s.Connect(t.Context()); !errors.Is(err, session.ErrAlreadyConnected) {
		t.Errorf("a third Connect: %v", err)
	}
	if s.State() != session.StateConnected {
		t.Errorf("the session is %s", s.State())
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := dial(t, talkTCP(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Connect(ctx); !errors.Is(err, context.DeadlineExceeded) || status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("Connect: %v", err)
	}
}

func TestMutualTLSShowsBothCertificates(t *testing.T) {
	t.Parallel()
	serverCert, serverPool := certificate(t, "127.0.0.1")
	clientCert, clientPool := certificate(t, "client.example")
	for name, certificates := range map[string][]tls.Certificate{"with": {clientCert}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := serveTCP(t, &script{}, grpc.Creds(credentials.NewTLS(&tls.Config{
				Certificates: []tls.Certificate{serverCert}, ClientAuth: tls.RequireAndVerifyClientCert,
				ClientCAs: clientPool, MinVersion: tls.VersionTLS13,
			})))
			s := dial(t, "static:///"+addr, session.WithTransportCredentials(credentials.NewTLS(&tls.Config{
				Certificates: certificates, RootCAs: serverPool, MinVersion: tls.VersionTLS13,
			})))
			if err := s.Connect(t.Context()); (err == nil) != (certificates != nil) {
				t.Errorf("Connect: %v", err)
			}
		})
	}
}

// token is a token that changes with each call.
type token struct{ next chan string }

func (k token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + <-k.next}, nil
}

func (token) RequireTransportSecurity() bool { return false }

func TestATokenIsAskedForAtEachCall(t *testing.T) {
	t.Parallel()
	seen := make(chan []string, 2)
	addr := serveTCP(t, &script{
		stream: func(p *peer) error {
			seen <- p.md.Get("authorization")
			return p.serve(welcome(), nil)
		},
	}, grpc.UnaryInterceptor(func(
		ctx context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler,
	) (any, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- md.Get("authorization")
		return new(imv1.HealthCheckResponse), nil
	}))
	tokens := make(chan string, 2)
	tokens <- "one"
	tokens <- "two"
	s := dial(t, addr, session.WithPerRPCCredentials(token{tokens}))
	connect(t, s)
	if _, err := s.HealthCheck(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Bearer one", "Bearer two"} {
		if got := <-seen; len(got) != 1 || got[0] != want {
			t.Errorf("the server got %q, want %q", got, want)
		}
	}
}
