package session

import (
	"math"
	"slices"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// ownCapabilities are what this session knows; docs/protocol.md has another one, which is not built yet.
func ownCapabilities() []imsdkv1.Capability {
	return []imsdkv1.Capability{
		imsdkv1.Capability_CAPABILITY_RECEIPTS,
		imsdkv1.Capability_CAPABILITY_STREAM_ROOMS,
		imsdkv1.Capability_CAPABILITY_RESUME,
		imsdkv1.Capability_CAPABILITY_FLOW_CONTROL,
		imsdkv1.Capability_CAPABILITY_GO_AWAY,
	}
}

// Capabilities tells what the live stream has. The zero value is a server without the handshake, or no live stream.
type Capabilities struct {
	// Handshake tells that the server knows the handshake.
	Handshake bool
	// Receipts tells that sends wait for the server's receipt.
	Receipts bool
	// StreamRooms tells that rooms are joined and left on the stream, at the very server that has it.
	StreamRooms bool
	// Resume tells that the server keeps a log of each room: what is sent while the session is away comes afterwards,
	// and what the log no longer has is told.
	Resume bool
	// FlowControl tells that the server sends each room no further ahead than the window lets it (WithWindow).
	FlowControl bool
	// GoAway tells that the server says so before it stops.
	GoAway bool
	// Agent is what the server calls itself.
	Agent string
}

// contract is what both sides of a stream have shown that they know. It does not change. Nil: a server of today.
type contract struct {
	Capabilities
	welcome *imsdkv1.Welcome
}

func newContract(welcome *imsdkv1.Welcome) *contract {
	has := func(c imsdkv1.Capability) bool {
		return slices.Contains(welcome.GetCapabilities(), c) && slices.Contains(ownCapabilities(), c)
	}
	// Without joins on the stream nobody tells where a room's log begins for the session.
	resume := has(imsdkv1.Capability_CAPABILITY_RESUME) && has(imsdkv1.Capability_CAPABILITY_STREAM_ROOMS)
	return &contract{
		Capabilities: Capabilities{
			Handshake:   true,
			Receipts:    has(imsdkv1.Capability_CAPABILITY_RECEIPTS),
			StreamRooms: has(imsdkv1.Capability_CAPABILITY_STREAM_ROOMS),
			Resume:      resume,
			FlowControl: resume && has(imsdkv1.Capability_CAPABILITY_FLOW_CONTROL),
			GoAway:      has(imsdkv1.Capability_CAPABILITY_GO_AWAY),
			Agent:       welcome.GetAgent(),
		},
		welcome: welcome,
	}
}

func (c *contract) known() Capabilities {
	if c == nil {
		return Capabilities{}
	}
	return c.Capabilities
}

// hasRoom tells whether Welcome says that the session is in a room already.
func (c *contract) hasRoom(roomID string) bool {
	for _, room := range c.welcome.GetRooms() {
		if room.GetRoomId() == roomID {
			return true
		}
	}
	return false
}

// window is how many bytes of a room the server may have sent beyond its cursor; 0: there is no bound.
func (c *contract) window(asked int) int {
	switch told := c.welcome.GetWindowBytes(); {
	case !c.FlowControl:
		return 0
	case told == 0:
		return asked
	default:
		return int(min(told, math.MaxInt32))
	}
}

// maxMessageBytes is what the server takes at most, 0 if it does not say.
func (c *contract) maxMessageBytes() int {
	if c == nil {
		return 0
	}
	return int(c.welcome.GetLimits().GetMaxMessageBytes())
}
