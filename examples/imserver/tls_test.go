package main_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// authority signs certificates for one test.
type authority struct {
	t           *testing.T
	folder      string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, folder: t.TempDir()}
	template := a.template("authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.certificate, a.key = template, a.newKey()
	a.issue("ca", template)
	return a
}

func (a *authority) template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

// issue writes a certificate and its key and gives their files.
func (a *authority) issue(name string, template *x509.Certificate) (certFile, keyFile string) {
	a.t.Helper()
	key := a.key
	if template != a.certificate {
		key = a.newKey()
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", raw), a.write(name+".key", "PRIVATE KEY", rawKey)
}

func (a *authority) write(name, kind string, raw []byte) string {
	a.t.Helper()
	file := filepath.Join(a.folder, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// client is a stub with a certificate for a user, or with none.
func (a *authority) client(address, user string) imv1.IMServiceClient {
	a.t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.parsed())
	config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	if user != "" {
		pair, err := tls.LoadX509KeyPair(a.issue(user, a.template(user)))
		if err != nil {
			a.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = conn.Close() })
	return imv1.NewIMServiceClient(conn)
}

func (a *authority) parsed() *x509.Certificate {
	a.t.Helper()
	raw, err := os.ReadFile(filepath.Join(a.folder, "ca.pem"))
	if err != nil {
		a.t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate
}

func TestWithCertificatesTheUserIsWhatTheCertificateSays(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.issue("server", a.template("server"))
	p := start(t, "-tls-cert", cert, "-tls-key", key, "-client-ca", filepath.Join(a.folder, "ca.pem"), "-user-from-cert",
		"-audio-dir", filepath.Join(a.folder, "audios"), "-echo")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	anna := a.client(p.address, "anna")
	stream, err := anna.StreamMessages(metadata.AppendToOutgoingContext(ctx, "room-id", "r"))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&imv1.MessageRequest{RoomId: "r", Type: 1, Content: []byte("hi")}); err != nil {
		t.Fatal(err)
	}
	if got, err := stream.Recv(); err != nil || got.GetFromUserId() != "anna" || string(got.GetContent()) != "hi" {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = anna.SendMessage(ctx, &imv1.SendMessageRequest{UserId: "ben", RoomId: "r", Type: 1, Content: []byte("hi")})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("as somebody else: %v", err)
	}
	_, err = a.client(p.address, "").GetRoomInfo(ctx, &imv1.GetRoomInfoRequest{RoomId: "r"})
	if status.Code(err) != codes.Unavailable { // TLS is refused
		t.Errorf("without a certificate: %v", err)
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
