package discovery_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/experimental/balancer/weight"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/game-im/im-grpc-sdk/runtime/discovery"
)

func TestAStaticListIsRead(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]discovery.Instance{
		"a:1":                      {{Addr: "a:1", Host: "a", Weight: 1}},
		"a:1;weight=3,b:2":         {{Addr: "a:1", Host: "a", Weight: 3}, {Addr: "b:2", Host: "b", Weight: 1}},
		"a:1 , b:2;weight=1":       {{Addr: "a:1", Host: "a", Weight: 1}, {Addr: "b:2", Host: "b", Weight: 1}},
		"[::1]:80,10.0.0.1:65535":  {{Addr: "[::1]:80", Host: "::1", Weight: 1}, {Addr: "10.0.0.1:65535", Host: "10.0.0.1", Weight: 1}},
		"a:1;weight=2;weight=1000": {{Addr: "a:1", Host: "a", Weight: 1000}},
	} {
		got, err := discovery.ParseStatic(list)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
}

func TestWhatIsWrongWithAStaticListIsSaid(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":                     "the list of servers is empty: write static:///host:port",
		"a":                    `server 1 of 1, "a": write host:port`,
		"a:1,":                 `server 2 of 2, "": write host:port`,
		":1":                   `server 1 of 1, ":1": write host:port`,
		"a:x":                  `the port is "x": write a number from 1 to 65535`,
		"a:0":                  `the port is "0"`,
		"a:65536":              `the port is "65536"`,
		"::1:80":               "write host:port",
		"a:1;weight":           `its weight is ""`,
		"a:1;weight=0":         `its weight is "0": write a number from 1 to 1000000`,
		"a:1;weight=-1":        `its weight is "-1"`,
		"a:1;weight=1000001":   `its weight is "1000001"`,
		"a:1;zone=b":           `it has the parameter "zone": only weight is known`,
		"a:1,b:2,a:1;weight=2": `server 3 of 3, "a:1;weight=2": it is there twice`,
	} {
		_, err := discovery.ParseStatic(list)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", list, err, want)
		}
	}
}

// conn keeps what a resolver says.
type conn struct {
	resolver.ClientConn

	state    resolver.State
	reported error
	answer   error
}

func (c *conn) UpdateState(state resolver.State) error {
	c.state = state
	return c.answer
}

func (c *conn) ReportError(err error) { c.reported = err }

func target(t *testing.T, text string) resolver.Target {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return resolver.Target{URL: *parsed}
}

func TestStaticResolvesToEndpointsWithNamesAndWeights(t *testing.T) {
	t.Parallel()
	scheme := discovery.Static()
	if scheme.Name() != "static" {
		t.Errorf("the scheme's name is %q", scheme.Name())
	}
	cc := new(conn)
	made, err := scheme.Builder().Build(target(t, "static:///a:1;weight=3,[::1]:2"), cc, resolver.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	made.ResolveNow(resolver.ResolveNowOptions{})
	made.Close()
	endpoints := cc.state.Endpoints
	if len(endpoints) != 2 {
		t.Fatalf("endpoints: %v", endpoints)
	}
	for i, want := range []discovery.Instance{{Addr: "a:1", Host: "a", Weight: 3}, {Addr: "[::1]:2", Host: "::1", Weight: 1}} {
		address := endpoints[i].Addresses[0]
		if address.Addr != want.Addr || address.ServerName != want.Host ||
			weight.FromEndpoint(endpoints[i]).Weight != want.Weight {
			t.Errorf("endpoint %d: %v", i, endpoints[i])
		}
	}
	cc.answer = errors.New("the balancer does not like it")
	if _, err := scheme.Builder().Build(target(t, "static:///a:1"), cc, resolver.BuildOptions{}); err != nil ||
		!errors.Is(cc.reported, cc.answer) {
		t.Errorf("a balancer's error: %v, reported %v", err, cc.reported)
	}
}

func TestStaticNamesTheFirstServerInCalls(t *testing.T) {
	t.Parallel()
	overrider, ok := discovery.Static().Builder().(resolver.AuthorityOverrider)
	if !ok {
		t.Fatal("the list itself would be the calls' authority")
	}
	for text, want := range map[string]string{"static:///a:1;weight=3,b:2": "a:1", "static:///": "static"} {
		if got := overrider.OverrideAuthority(target(t, text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestASchemeChecksItsTargets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"static:///a:1":    "",
		"static:///a%3A1":  "",
		"static:///a":      "write host:port",
		"static://a:1/b:2": "three slashes",
	} {
		parsed := target(t, text)
		err := discovery.Static().Check(parsed)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
		_, buildErr := discovery.Static().Builder().Build(parsed, new(conn), resolver.BuildOptions{})
		if (buildErr == nil) != (want == "") {
			t.Errorf("%s: Build: %v", text, buildErr)
		}
	}
	mine := discovery.NewScheme(manual.NewBuilderWithScheme("mine"))
	if err := mine.Check(target(t, "mine:///anything at all")); err != nil || mine.Name() != "mine" {
		t.Errorf("a builder without checks: %v, %q", err, mine.Name())
	}
	var none discovery.Scheme
	if none.Name() != "" || none.Builder() != nil || none.Check(resolver.Target{}) != nil {
		t.Error("the zero value is something")
	}
}
