package docs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func dialTLS(target, caFile, certFile, keyFile string) (*session.Session, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("there is no certificate in " + caFile)
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	return session.Dial(target,
		session.WithUser("user001"),
		session.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			RootCAs:      roots,                          // leave out if a public authority has signed the server's certificate
			Certificates: []tls.Certificate{certificate}, // mTLS; leave out for TLS alone
			MinVersion:   tls.VersionTLS13,
		})),
	)
}

// bearer gives a bearer token. gRPC asks it at every call and for the stream of every reconnect, so it may be renewed.
type bearer func(ctx context.Context) (string, error)

// GetRequestMetadata is what goes along with a call.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	value, err := b(ctx)
	return map[string]string{"authorization": "Bearer " + value}, err
}

// RequireTransportSecurity makes gRPC refuse to send it without TLS.
func (bearer) RequireTransportSecurity() bool { return true }

func dialWithToken(target string, transport credentials.TransportCredentials, current bearer) (*session.Session, error) {
	s, err := session.Dial(target,
		session.WithUser("user001"),
		session.WithTransportCredentials(transport),
		session.WithPerRPCCredentials(current),
	)
	return s, err
}

func byToken(verify func(token string) (userID string, err error)) server.Option {
	return server.WithAuthenticator(func(ctx context.Context) (userID string, err error) {
		for _, value := range metadata.ValueFromIncomingContext(ctx, "authorization") {
			if token, ok := strings.CutPrefix(value, "Bearer "); ok {
				return verify(token)
			}
		}
		return "", status.Error(codes.Unauthenticated, "there is no token")
	})
}

func byCertificate() server.Option {
	return server.WithAuthenticator(func(ctx context.Context) (userID string, err error) {
		caller, _ := peer.FromContext(ctx)
		info, ok := caller.AuthInfo.(credentials.TLSInfo)
		if !ok || len(info.State.VerifiedChains) == 0 {
			return "", status.Error(codes.Unauthenticated, "there is no client certificate")
		}
		return info.State.VerifiedChains[0][0].Subject.CommonName, nil
	})
}

// serveTLS serves on a free port, with client certificates asked for and checked if given.
func serveTLS(t *testing.T, certs *certificates, authenticate server.Option) (target string) {
	t.Helper()
	srv, err := server.New(authenticate)
	if err != nil {
		t.Fatal(err)
	}
	grpcServer := grpc.NewServer(append(server.GRPCOptions(), grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certs.server}, ClientCAs: certs.roots,
		ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS13,
	})))...)
	imv1.RegisterIMServiceServer(grpcServer, srv)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = grpcServer.Serve(listener) }()
	t.Cleanup(func() { srv.Close(); grpcServer.Stop() })
	return listener.Addr().String()
}

func TestMutualTLSProvesTheUser(t *testing.T) {
	t.Parallel()
	certs := newCertificates(t)
	target := serveTLS(t, certs, byCertificate())
	for user, works := range map[string]bool{"user001": true, "eve": false} {
		certFile, keyFile := certs.client(t, user)
		s, err := dialTLS(target, certs.caFile, certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Connect(t.Context())
		if works && err != nil || !works && status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s's certificate: %v", user, err)
		}
		_ = s.Close()
	}
}

func TestATokenProvesTheUser(t *testing.T) {
	t.Parallel()
	certs := newCertificates(t)
	target := serveTLS(t, certs, byToken(func(token string) (string, error) {
		if token != "right" {
			return "", status.Error(codes.Unauthenticated, "the token is not valid")
		}
		return "user001", nil
	}))
	transport := credentials.NewTLS(&tls.Config{RootCAs: certs.roots, MinVersion: tls.VersionTLS13})
	for value, want := range map[string]codes.Code{"right": codes.OK, "wrong": codes.Unauthenticated} {
		s, err := dialWithToken(target, transport, func(context.Context) (string, error) { return value, nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Connect(t.Context()); status.Code(err) != want {
			t.Errorf("token %q: %v", value, err)
		}
		_ = s.Close()
	}
}
