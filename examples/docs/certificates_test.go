package docs_test

import (
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
)

// certificates are those of an authority that a test makes up.
type certificates struct {
	folder string
	caFile string
	ca     *x509.Certificate
	caKey  *ecdsa.PrivateKey
	roots  *x509.CertPool
	server tls.Certificate
}

func newCertificates(t *testing.T) *certificates {
	t.Helper()
	c := &certificates{folder: t.TempDir(), roots: x509.NewCertPool()}
	c.caFile = filepath.Join(c.folder, "ca.pem")
	template := about("test authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	var der []byte
	der, c.caKey = sign(t, template, template, nil)
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	c.ca = ca
	c.roots.AddCert(ca)
	writePEM(t, c.caFile, "CERTIFICATE", der)

	template = about("server")
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	der, key := sign(t, template, c.ca, c.caKey)
	c.server = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return c
}

// client makes a client certificate and tells its files.
func (c *certificates) client(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	der, key := sign(t, about(name), c.ca, c.caKey)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(c.folder, name+".pem"), filepath.Join(c.folder, name+"-key.pem")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", encoded)
	return certFile, keyFile
}

func about(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// sign makes a key and its certificate. Without a parent's key it signs itself.
func sign(t *testing.T, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
