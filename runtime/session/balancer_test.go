package session_test

import (
	"crypto/tls"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/balancer"
	"github.com/game-im/im-grpc-sdk/runtime/discovery"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// counting is a server that answers health checks with a name.
func counting(name string) *script {
	return &script{health: func(*imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
		return &imv1.HealthCheckResponse{Message: name}, nil
	}}
}

// spread calls often, and tells how often each server was called. Servers that are not up yet get nothing.
func spread(t *testing.T, s *session.Session) map[string]int {
	t.Helper()
	got := make(map[string]int)
	for range 200 {
		health, err := s.HealthCheck(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		got[health.GetMessage()]++
	}
	return got
}

func TestCallsGoToEveryServerInTurnUnlessTheFirstIsWanted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []session.Option
		both bool
	}{
		"the default": {nil, true},
		"round robin": {[]session.Option{session.WithBalancer(balancer.RoundRobin)}, true},
		"pick first":  {[]session.Option{session.WithBalancer(balancer.PickFirst)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := "static:///" + serveTCP(t, counting("a")) + ";weight=3," + serveTCP(t, counting("b"))
			got := spread(t, dial(t, target, test.opts...))
			if (got["a"] > 0 && got["b"] > 0) != test.both {
				t.Errorf("calls: %v", got)
			}
		})
	}
}

func TestEachServerOfAListIsVerifiedByItsOwnName(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t, "127.0.0.1")
	creds := grpc.Creds(credentials.NewServerTLSFromCert(&cert))
	s := dial(t, "static:///"+serveTCP(t, counting("a"), creds)+","+serveTCP(t, counting("b"), creds),
		session.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})))
	if got := spread(t, s); got["a"] == 0 || got["b"] == 0 {
		t.Errorf("calls: %v", got)
	}
}

func TestASchemeOfOnesOwnResolvesForThisSessionOnly(t *testing.T) {
	t.Parallel()
	builder := manual.NewBuilderWithScheme("mine")
	builder.InitialState(resolver.State{Endpoints: []resolver.Endpoint{
		{Addresses: []resolver.Address{{Addr: serveTCP(t, counting("a"))}}},
	}})
	s := dial(t, "mine:///im", session.WithDiscovery(discovery.NewScheme(builder)))
	connect(t, s)
	if got := spread(t, s); got["a"] != 200 {
		t.Errorf("calls: %v", got)
	}
	if _, err := session.Dial("mine:///im", session.WithUser("u")); err == nil {
		t.Error("the scheme is known to every session")
	}
}
