package chaos_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// defaultWindow is what both sides allow unless told otherwise.
const defaultWindow = 256 << 10

// meter measures what one session hears: for how long it heard nothing, and how much of a room was in flight beyond what
// its handlers have done, which the server's window bounds. It sees less than the server counts, never more.
type meter struct {
	config memberConfig
	window int

	mu        sync.Mutex
	rooms     map[string]*metered
	talking   bool
	overrun   int
	overrunBy int
	example   string // the first overrun
	streams   int
	started   time.Time // of the stream
}

// metered is one room.
type metered struct {
	last     time.Time
	silence  time.Duration
	inFlight []inFlight
	bytes    int
	done     uint64 // the last that a handler has done
	epoch    uint64 // of done
}

type inFlight struct {
	seq   uint64
	bytes int
}

func newMeter(config memberConfig) *meter {
	m := &meter{config: config, window: config.Window, rooms: make(map[string]*metered)}
	if m.window == 0 {
		m.window = defaultWindow
	}
	for _, room := range config.Rooms {
		m.rooms[roomName(room)] = &metered{}
	}
	return m
}

// begin starts the clock of the silences.
func (m *meter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.talking = true
	for _, r := range m.rooms {
		r.last = time.Now()
	}
}

// stop ends it: nobody sends any more.
func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rooms {
		r.silence = max(r.silence, time.Since(r.last))
	}
	m.talking = false
}

func (m *meter) heard(room string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.rooms[room]; r != nil && m.talking {
		now := time.Now()
		r.silence = max(r.silence, now.Sub(r.last))
		r.last = now
	}
}

// received counts what has come on the living stream.
func (m *meter) received(message *imv1.MessageResponse) {
	own := message.GetFromUserId() == userName(m.config.ID) && !m.config.Echo // no handler sees it
	if message.GetType() != imv1.MessageType_MESSAGE_TYPE_TEXT || message.GetSeq() == 0 || own {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[message.GetRoomId()]
	if r == nil || message.GetEpoch() == r.epoch && message.GetSeq() <= r.done {
		return // it comes once more, from before the stream
	}
	if n := len(r.inFlight); n > 0 && message.GetSeq() <= r.inFlight[n-1].seq {
		return // a repeat
	}
	size := proto.Size(message)
	r.inFlight = append(r.inFlight, inFlight{message.GetSeq(), size})
	r.bytes += size
	if over := r.bytes - m.window; over > 0 && len(r.inFlight) > 1 {
		if m.overrun++; m.overrun == 1 {
			m.example = fmt.Sprintf("session %d in %s: %d bytes of %d in flight, %d messages from %d to %d, done %d, stream %d, %s after its start",
				m.config.ID, message.GetRoomId(), r.bytes, m.window, len(r.inFlight), r.inFlight[0].seq, message.GetSeq(), r.done,
				m.streams, time.Since(m.started))
		}
		m.overrunBy = max(m.overrunBy, over)
	}
}

// handled is called when a handler is about to return.
func (m *meter) handled(room string, epoch, seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[room]
	if r == nil {
		return
	}
	r.done, r.epoch = seq, epoch
	for len(r.inFlight) > 0 && r.inFlight[0].seq <= seq {
		r.bytes -= r.inFlight[0].bytes
		r.inFlight = r.inFlight[1:]
	}
}

// restart forgets what was in flight on the stream before.
func (m *meter) restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.streams++
	m.started = time.Now()
	for _, r := range m.rooms {
		r.inFlight, r.bytes = nil, 0
	}
}

func (m *meter) addTo(end *clientEnd) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, r := range m.rooms {
		if r.silence > end.Silence {
			end.Silence, end.SilentFor = r.silence, fmt.Sprintf("session %d in %s", m.config.ID, name)
		}
	}
	end.Overrun += m.overrun
	end.OverrunBy = max(end.OverrunBy, m.overrunBy)
	if m.example != "" {
		end.Overruns = append(end.Overruns, m.example)
	}
}

// intercept looks at what comes in.
func (m *meter) intercept(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := streamer(ctx, desc, cc, method, opts...)
	if err != nil {
		return nil, err
	}
	m.restart()
	return &meteredStream{ClientStream: stream, meter: m}, nil
}

type meteredStream struct {
	grpc.ClientStream

	meter *meter
}

// RecvMsg receives, and counts.
func (s *meteredStream) RecvMsg(into any) error {
	err := s.ClientStream.RecvMsg(into)
	if message, ok := into.(*imv1.MessageResponse); ok && err == nil {
		s.meter.received(message)
	}
	return err
}
