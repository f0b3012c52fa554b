package session_test

import (
	"log/slog"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime/balancer"
	"github.com/game-im/im-grpc-sdk/runtime/discovery"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func TestTargetsThatGRPCKnowsAreTaken(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"localhost:8083", "127.0.0.1:8083", "[::1]:8083", "im.example.com", ":8083",
		"static:///a:1", "static:///a:1;weight=3,b:2", "static:///[::1]:80,b:2", "STATIC:///a:1",
		"dns:///im.example.com:8083", "dns:im.example.com:8083", "dns://8.8.8.8/im.example.com",
		"passthrough:///x", "unix:///tmp/im.sock", "unix:im.sock",
	} {
		s, err := session.Dial(target, session.WithUser("u"))
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		_ = s.Close()
		<-s.Done()
	}
}

func TestWhatIsWrongWithATargetIsSaidAtDial(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"":                           "it is empty",
		"  ":                         "it is empty",
		"a b:80":                     "has a space",
		"a:1,b:2":                    "static:///a:1,b:2",
		"host:":                      "the port is missing",
		"consul://127.0.0.1:8500/im": "runtime/discovery/consul and pass session.WithDiscovery(consul.Scheme())",
		"etcd://127.0.0.1:2379/im":   "runtime/discovery/etcd and pass session.WithDiscovery(etcd.Scheme())",
		"nacos://127.0.0.1:8848/im":  "runtime/discovery/nacos and pass session.WithDiscovery(nacos.Scheme())",
		"xds:///im":                  "google.golang.org/grpc/xds",
		"http://im.example.com":      "no gRPC scheme",
		"zookeeper://a/b":            `the scheme "zookeeper" is not known`,
		"static://a:1,b:2":           "write three slashes: static:///a:1,b:2",
		"static:///":                 "the list of servers is empty",
		"static:///a:1,b":            `server 2 of 2, "b": write host:port`,
		"static:///a:0":              `the port is "0"`,
		"static:///a:1;weight=x":     `its weight is "x"`,
		"static:///a:1;zone=x":       `it has the parameter "zone"`,
		"dns:///":                    "it names no server",
		"dns://%zz/a":                "it does not parse",
	} {
		s, err := session.Dial(target, session.WithUser("u"))
		if err == nil {
			_ = s.Close()
			t.Errorf("%q is taken", target)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "session.Dial: target ") {
			t.Errorf("%q: %q does not say %q", target, err, want)
		}
	}
}

func TestWhatIsWrongWithAnOptionIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	user := session.WithUser("u")
	long := strings.Repeat("x", 129)
	many := make(map[string]string)
	for i := range 65 {
		many[strconv.Itoa(i)] = "x"
	}
	for want, opts := range map[string][]session.Option{
		"there is no user":                           {},
		"WithUser: the user id is empty":             {session.WithUser("")},
		"the user id has 129 bytes":                  {session.WithUser(long)},
		"the user id is not valid UTF-8":             {session.WithUser("\xff")},
		"the room id is empty":                       {user, session.WithRoom("")},
		"the room id has 129 bytes":                  {user, session.WithRoom(long)},
		"WithRoom: the metadata of the room has 65":  {user, session.WithRoom("r", session.WithJoinMetadata(many))},
		"WithAgent: the agent has 129 bytes":         {user, session.WithAgent(long)},
		"WithLogger: the logger is nil":              {user, session.WithLogger(nil)},
		"an option is nil":                           {user, nil},
		"WithConnectTimeout: the timeout is 0s":      {user, session.WithConnectTimeout(0)},
		"WithRequestTimeout: the timeout is -1s":     {user, session.WithRequestTimeout(-time.Second)},
		"WithHeartbeat: the interval is 0s":          {user, session.WithHeartbeat(0, time.Second)},
		"the timeout is -1ns":                        {user, session.WithHeartbeat(time.Second, -1)},
		"WithHandshakeWait: the wait is 0s":          {user, session.WithHandshakeWait(0)},
		"WithReconnect: a number is negative":        {user, session.WithReconnect(session.Reconnect{Attempts: -1})},
		"Base is 2s, more than Max, 1s":              {user, session.WithReconnect(session.Reconnect{Base: 2 * time.Second, Max: time.Second})},
		"Max is 2562047h47m16.854775807s":            {user, session.WithReconnect(session.Reconnect{Max: math.MaxInt64})},
		"WithSendLimit: the limit must be":           {user, session.WithSendLimit(0, 1)},
		"WithLanes: both numbers must be":            {user, session.WithLanes(1, 0)},
		"WithSendInterceptors: an interceptor is":    {user, session.WithSendInterceptors(nil)},
		"WithReceiveInterceptors: an interceptor":    {user, session.WithReceiveInterceptors(nil)},
		"WithTransportCredentials: the credentials":  {user, session.WithTransportCredentials(nil)},
		"WithPerRPCCredentials: the credentials are": {user, session.WithPerRPCCredentials(nil)},
		"WithDiscovery: a scheme is empty":           {user, session.WithDiscovery(discovery.Scheme{})},
		`balancer policy "fastest" is unknown`:       {user, session.WithBalancer(balancer.Policy("fastest"))},
		"WithConn: the connection is nil":            {user, session.WithConn(nil)},
	} {
		_, err := session.Dial("localhost:1", opts...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	_, err := session.Dial("localhost:1", session.WithUser(""), session.WithConnectTimeout(-1))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two mistakes: %v", err)
	}
}

func TestEachOptionIsForDialOrNewOrBoth(t *testing.T) {
	t.Parallel()
	conn, err := grpc.NewClient("localhost:1", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := imv1.NewIMServiceClient(conn)

	_, err = session.New(client, session.WithUser("u"), session.WithBalancer(balancer.PickFirst), session.WithDialOptions())
	if err == nil || !strings.Contains(err.Error(), "WithBalancer WithDialOptions") ||
		!strings.Contains(err.Error(), "for Dial only") {
		t.Errorf("New with options of Dial: %v", err)
	}
	if _, err = session.Dial("localhost:1", session.WithUser("u"), session.WithConn(conn)); err == nil ||
		!strings.Contains(err.Error(), "for New only") {
		t.Errorf("Dial with an option of New: %v", err)
	}
	if _, err = session.New(nil, session.WithUser("u")); err == nil || !strings.Contains(err.Error(), "the client is nil") {
		t.Errorf("New without a client: %v", err)
	}
	s, err := session.New(client, session.WithUser("u"), session.WithConn(conn), session.WithRoom("r"),
		session.WithLogger(slog.New(slog.DiscardHandler)), session.WithEcho(), session.WithSendLimit(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	<-s.Done()
}
