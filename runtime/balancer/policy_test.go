package balancer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/game-im/im-grpc-sdk/runtime/balancer"
)

func TestEachPolicyIsAServiceConfigThatGRPCTakes(t *testing.T) {
	t.Parallel()
	for _, policy := range []balancer.Policy{balancer.RoundRobin, balancer.PickFirst} {
		config, err := policy.ServiceConfig()
		if err != nil || !json.Valid([]byte(config)) || !strings.Contains(config, string(policy)) {
			t.Errorf("%s: %s, %v", policy, config, err)
			continue
		}
		conn, err := grpc.NewClient("passthrough:///x", grpc.WithDefaultServiceConfig(config),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Errorf("%s: %v", policy, err)
			continue
		}
		_ = conn.Close()
	}
}

func TestAnUnknownPolicyIsAnError(t *testing.T) {
	t.Parallel()
	for _, policy := range []balancer.Policy{"", "fastest"} {
		if _, err := policy.ServiceConfig(); err == nil || !strings.Contains(err.Error(), "use balancer.RoundRobin") {
			t.Errorf("%q: %v", policy, err)
		}
	}
}
