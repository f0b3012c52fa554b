package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/game-im/im-grpc-sdk/runtime/session"
	"google.golang.org/grpc/credentials"
)

// tlsSettings say how the connection is secured. The zero value: plaintext.
type tlsSettings struct {
	on            bool
	ca, cert, key string // PEM files
}

func (t tlsSettings) check() error {
	if (t.cert == "") != (t.key == "") {
		return errors.New("-cert and -key go together: one is missing")
	}
	return nil
}

// options read the files.
func (t tlsSettings) options() ([]session.Option, error) {
	if !t.on && t.ca == "" && t.cert == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, fmt.Errorf("-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-ca %s: there is no PEM certificate in it", t.ca)
		}
	}
	if t.cert != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf("-cert and -key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return []session.Option{session.WithTransportCredentials(credentials.NewTLS(config))}, nil
}
