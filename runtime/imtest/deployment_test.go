package imtest_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/internal/memconn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/internal/today"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// deployedServers are the ways in which deployed servers differ.
var deployedServers = map[string]today.Options{
	"no header for ever, heartbeats unanswered": {},
	"header at once without our key":            {Header: today.HeaderAtOnce, AnswerHeartbeats: true},
	"header after 3 s":                          {Header: today.HeaderLate, AnswerHeartbeats: true},
	"header after 3 s, heartbeats unanswered":   {Header: today.HeaderLate},
	"before v1.2.0":                             {FirstMessageOnly: true, AnswerHeartbeats: true},
	"before v1.2.0, heartbeats unanswered":      {FirstMessageOnly: true},
	"echo":                                      {Header: today.HeaderAtOnce, AnswerHeartbeats: true, Echo: true},
	"ACKs required":                             {AckRequired: true},
	"repeats":                                   {Repeat: true, AnswerHeartbeats: true},
	"success is 200":                            {Header: today.HeaderAtOnce, Success: 200},
	"everything at once": {
		Header: today.HeaderLate, FirstMessageOnly: true, AnswerHeartbeats: true, Echo: true, AckRequired: true,
		Repeat: true, Success: 200,
	},
}

// deployment is a deployed server with our session on it, whose handlers write everything down.
type deployment struct {
	srv    *today.Server
	ours   *session.Session
	client *imv1sdk.Client
	heard  *recorder

	mu       sync.Mutex // guards what follows
	listener *memconn.Listener
	grpc     *grpc.Server
}

// deploy starts a deployed server and makes a session in room r that has not connected yet.
func deploy(t *testing.T, options today.Options) *deployment {
	t.Helper()
	d := &deployment{heard: new(recorder)}
	d.start(options)
	t.Cleanup(d.stop)
	var err error
	d.ours, err = session.Dial("passthrough:///deployed",
		append(d.heard.told(), session.WithUser("ours"), session.WithRoom("r"), session.WithDialOptions(d.dialer()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.ours.Close() })
	d.client = record(t, d.ours, d.heard)
	return d
}

// start starts a new server, which knows nothing of the one before.
func (d *deployment) start(options today.Options) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.srv = today.NewServer(options)
	d.listener = memconn.Listen(1 << 16)
	d.grpc = grpc.NewServer(grpc.WaitForHandlers(true))
	imv1.RegisterIMServiceServer(d.grpc, d.srv)
	server, listener := d.grpc, d.listener
	go func() { _ = server.Serve(listener) }()
}

func (d *deployment) stop() {
	d.mu.Lock()
	server := d.grpc
	d.listener = nil
	d.mu.Unlock()
	server.Stop()
}

func (d *deployment) dialer() grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		d.mu.Lock()
		listener := d.listener
		d.mu.Unlock()
		if listener == nil {
			return nil, errors.New("connection refused")
		}
		return listener.DialContext(ctx)
	})
}

// dial opens the stream of a deployed client, bob in room r.
func (d *deployment) dial(t *testing.T) *today.Client {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///deployed", d.dialer(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client, err := today.NewClient(t.Context(), conn, today.ClientOptions{
		User: "bob", Room: "r", HeartbeatAtStart: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
