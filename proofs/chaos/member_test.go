package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/proofs/internal/sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// member is one session of a client process.
type member struct {
	config  memberConfig
	reports *reporter
	session *session.Session
	conn    *grpc.ClientConn // of an injected client
	meter   *meter

	mu     sync.Mutex
	errors []string
}

func newMember(config memberConfig, reports *reporter) *member {
	return &member{config: config, reports: reports, meter: newMeter(config)}
}

func roomName(index int) string { return "room-" + strconv.Itoa(index) }

func roomIndex(name string) (int, error) { return strconv.Atoi(strings.TrimPrefix(name, "room-")) }

func userName(id int) string { return "user-" + strconv.Itoa(id) }

// ownConnection has the options of an injected client's connection.
func ownConnection() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 2 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 2, Jitter: 0.2, MaxDelay: 500 * time.Millisecond},
			MinConnectTimeout: 3 * time.Second,
		}),
	}
}

// options are the session's.
func (m *member) options() []session.Option {
	receiving := sdk.Receiving{OnGap: m.told, Window: m.config.Window}
	opts := append(receiving.Options(),
		session.WithUser(userName(m.config.ID)),
		session.WithRoom(roomName(m.config.Rooms[0])),
		session.WithHeartbeat(2*time.Second, time.Second),
		session.WithConnectTimeout(4*time.Second),
		session.WithRequestTimeout(5*time.Second),
		session.WithReconnect(session.Reconnect{
			Base: 100 * time.Millisecond, Max: time.Second, Stable: 2 * time.Second,
		}),
		session.WithOnError(m.failed),
	)
	if m.config.Echo {
		opts = append(opts, session.WithEcho())
	}
	return opts
}

// join makes the session, connects it and joins its rooms.
func (m *member) join(ctx context.Context, server string) error {
	var err error
	if m.config.Injected {
		m.conn, err = connection(server, m.meter.intercept)
		if err != nil {
			return err
		}
		opts := m.options()
		if m.config.WithConn {
			opts = append(opts, session.WithConn(m.conn))
		}
		m.session, err = session.New(imv1.NewIMServiceClient(m.conn), opts...)
	} else {
		m.session, err = session.Dial(server, append(m.options(),
			session.WithDialOptions(grpc.WithChainStreamInterceptor(m.meter.intercept)))...)
	}
	if err != nil {
		return err
	}
	if _, err = imv1sdk.NewClient(m.session, imv1sdk.Handlers{OnText: m.onText}); err != nil {
		return err
	}
	if err = m.session.Connect(ctx); err != nil {
		return fmt.Errorf("session %d: %w", m.config.ID, err)
	}
	for _, room := range m.config.Rooms[1:] {
		if _, err = m.session.JoinRoom(ctx, roomName(room)); err != nil {
			return fmt.Errorf("session %d: %w", m.config.ID, err)
		}
	}
	return nil
}

func (m *member) onText(ctx context.Context, in *imv1sdk.TextMessage) error {
	defer m.meter.handled(in.RoomID, in.Epoch, in.Seq)
	message, err := ledger.ParseText(in.Content.GetText())
	if err != nil {
		return err
	}
	room, err := roomIndex(in.RoomID)
	if err != nil || room != message.Room || in.From != userName(message.Sender) {
		return fmt.Errorf("%v came from %s in %s", message, in.From, in.RoomID)
	}
	m.meter.heard(in.RoomID)
	m.reports.event(ledger.Event{
		Kind: ledger.Delivered, Reader: m.config.ID, Message: message, Place: ledger.Place{Epoch: in.Epoch, Seq: in.Seq},
	})
	if m.config.Handler == 0 {
		return nil
	}
	wait := rand.N(2 * m.config.Handler)
	if rand.IntN(200) == 0 {
		wait = 100 * m.config.Handler // and now and then it hangs
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

func (m *member) told(room string, gap ledger.Event) {
	index, err := roomIndex(room)
	if err != nil {
		m.failed(err)
	}
	gap.Reader, gap.Message.Room = m.config.ID, index
	m.reports.event(gap)
}

func (m *member) failed(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errors = append(m.errors, fmt.Sprintf("session %d: %v", m.config.ID, err))
	if len(m.errors) > 3 {
		m.errors = m.errors[1:]
	}
}

func (m *member) lastErrors() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.errors)
}

// start sends to each room until sending is done. Results are waited for until waiting is.
func (m *member) start(sending, waiting context.Context, group *sync.WaitGroup) {
	m.meter.begin()
	for _, room := range m.config.Sends {
		group.Go(func() { m.send(sending, waiting, room, group) })
	}
	group.Go(func() {
		<-sending.Done()
		m.meter.stop()
	})
}

func (m *member) send(sending, waiting context.Context, room int, group *sync.WaitGroup) {
	for number := 1; ; number++ {
		pause := time.NewTimer(time.Duration((0.5 + rand.Float64()) / m.config.Rate * float64(time.Second)))
		select {
		case <-pause.C:
		case <-sending.Done():
			pause.Stop()
			return
		}
		message := ledger.Message{Sender: m.config.ID, Room: room, Number: number}
		m.reports.event(ledger.Event{Kind: ledger.Sent, Message: message})
		ctx, cancel := waiting, context.CancelFunc(func() {})
		if m.config.Hurried {
			ctx, cancel = context.WithTimeout(waiting, rand.N(400*time.Millisecond))
		}
		pending := sdk.SendText(ctx, m.session, roomName(room), message.Text(textSize()))
		group.Go(func() {
			defer cancel()
			m.result(waiting, message, pending)
		})
	}
}

func textSize() int {
	if rand.IntN(50) == 0 {
		return 4000
	}
	return 20 + rand.IntN(300)
}

func (m *member) result(ctx context.Context, message ledger.Message, pending *runtime.Pending) {
	receipt, err := pending.Wait(ctx)
	if ctx.Err() == nil { // otherwise the run is over: no result
		m.reports.event(sdk.Result(message, receipt, err))
	}
}
