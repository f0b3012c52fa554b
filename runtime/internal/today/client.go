package today

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// defaultHeartbeat is the longest interval of deployed clients.
const defaultHeartbeat = 120 * time.Second

// ClientOptions says who a deployed client is and how it behaves.
type ClientOptions struct {
	// User is the user id.
	User string
	// Room is the default room; empty: none.
	Room string
	// FirstMessageOnly leaves user and room out of the stream's metadata: the server learns them from the first
	// message.
	FirstMessageOnly bool
	// HeartbeatAtStart sends the first HEARTBEAT when the stream opens. Without it the first one goes out after one
	// interval, and until then the client says nothing on its own.
	HeartbeatAtStart bool
	// Heartbeat is the interval. Default: 120 s.
	Heartbeat time.Duration
	// OnMessage is called for everything but heartbeats, in the goroutine that reads. Nil: nothing is called.
	OnMessage func(message Message)
}

// Message is what a deployed client's callback gets.
type Message struct {
	// ID, From, Room, Type, Content, Metadata and AckRequired are as they came.
	ID, From, Room string
	Type           imv1.MessageType
	Content        []byte
	Metadata       map[string]string
	AckRequired    bool
	// Value is the content as encoding/json reads it into one of the plain structs; a string for TEXT, the bytes
	// for what the client does not know.
	Value any
}

// Client is a deployed client: one stream, never opened again.
type Client struct {
	violations

	service imv1.IMServiceClient
	options ClientOptions
	stream  grpc.BidiStreamingClient[imv1.MessageRequest, imv1.MessageResponse]
	stop    context.CancelFunc
	running sync.WaitGroup
	sending sync.Mutex // one Send at a time

	mu       sync.Mutex // guards what follows
	nextID   int
	messages []Message
	err      error
	ended    bool
}

// NewClient opens the stream. Close ends it; so does ctx.
func NewClient(ctx context.Context, conn grpc.ClientConnInterface, options ClientOptions) (*Client, error) {
	if options.Heartbeat == 0 {
		options.Heartbeat = defaultHeartbeat
	}
	ctx, stop := context.WithCancel(ctx)
	c := &Client{service: imv1.NewIMServiceClient(conn), options: options, stop: stop}
	if !options.FirstMessageOnly {
		ctx = metadata.AppendToOutgoingContext(ctx, "user-id", options.User)
		if options.Room != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "room-id", options.Room)
		}
	}
	var err error
	if c.stream, err = c.service.StreamMessages(ctx); err != nil {
		stop()
		return nil, err
	}
	if options.HeartbeatAtStart {
		c.beat()
	}
	c.running.Go(c.read)
	c.running.Go(func() { c.heartbeat(ctx) })
	return c, nil
}

// Close ends the stream and waits until nothing runs any more.
func (c *Client) Close() {
	c.stop()
	c.running.Wait()
}

// Unary is the service for calls beside the stream.
func (c *Client) Unary() imv1.IMServiceClient { return c.service }

// Err says how the stream ended, and whether it has.
func (c *Client) Err() (err error, ended bool) { //nolint:revive // the error is what is asked for
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err, c.ended
}

// Messages gives what the callback got so far of one type, oldest first.
func (c *Client) Messages(kind imv1.MessageType) []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	var of []Message
	for _, message := range c.messages {
		if message.Type == kind {
			of = append(of, message)
		}
	}
	return of
}

// Send sends a message under a new id, which it returns. The envelope has every field that deployed clients set.
func (c *Client) Send(roomID string, kind imv1.MessageType, content []byte) (string, error) {
	c.mu.Lock()
	c.nextID++
	id := fmt.Sprintf("%s-%d", c.options.User, c.nextID)
	c.mu.Unlock()
	return id, c.SendAs(id, roomID, kind, content)
}

// SendAs sends a message under an id of the caller's; empty is one without an id.
func (c *Client) SendAs(id, roomID string, kind imv1.MessageType, content []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.stream.Send(&imv1.MessageRequest{
		MessageId: id, UserId: c.options.User, RoomId: roomID, Type: kind, Content: content,
		Timestamp: timestamppb.Now(),
	})
}

func (c *Client) beat() {
	_ = c.SendAs("", c.options.Room, imv1.MessageType_MESSAGE_TYPE_HEARTBEAT, []byte("ping")) // read sees the end
}

func (c *Client) heartbeat(ctx context.Context) {
	ticker := time.NewTicker(c.options.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.beat()
		case <-c.stream.Context().Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

func (c *Client) read() {
	defer c.stop()
	if header, err := c.stream.Header(); err == nil {
		for key := range header {
			if key == welcomeKey {
				c.addf("client %s: a Welcome in the header, without a Hello", c.options.User)
			}
		}
	}
	for {
		message, err := c.stream.Recv()
		if err != nil {
			c.mu.Lock()
			c.err, c.ended = err, true
			c.mu.Unlock()
			return
		}
		c.take(message)
	}
}

// take is the whole of a deployed client: heartbeats are ignored, the callback gets everything else.
func (c *Client) take(message *imv1.MessageResponse) {
	who, id, kind := "client "+c.options.User, message.GetMessageId(), message.GetType()
	c.checkType(who, id, kind)
	c.checkContent(who, id, kind, message.GetContent())
	if kind == imv1.MessageType_MESSAGE_TYPE_ACK {
		c.addf("%s: an ACK, which nobody asked for: %q", who, message.GetContent())
	}
	if kind == imv1.MessageType_MESSAGE_TYPE_HEARTBEAT {
		return
	}
	if message.GetRoomId() == "" {
		c.addf("%s: %s %q has no room_id", who, kind, id)
	}
	value, _ := decode(kind, message.GetContent())
	got := Message{
		ID: id, From: message.GetFromUserId(), Room: message.GetRoomId(), Type: kind,
		Content: message.GetContent(), Metadata: message.GetMetadata(), AckRequired: message.GetAckRequired(),
		Value: value,
	}
	c.mu.Lock()
	c.messages = append(c.messages, got)
	c.mu.Unlock()
	if c.options.OnMessage != nil {
		c.options.OnMessage(got)
	}
}
