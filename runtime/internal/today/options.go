package today

import "time"

// Header says when a deployed server sends the stream's header.
type Header int

const (
	// HeaderNever sends none by itself: gRPC puts it before the first message that the server has for the client,
	// which may be never.
	HeaderNever Header = iota
	// HeaderAtOnce sends one with a key of the server's own, before anything is read.
	HeaderAtOnce
	// HeaderLate does so 3 s after the stream began. No message goes out before.
	HeaderLate
)

// lateBy is how long HeaderLate waits.
const lateBy = 3 * time.Second

// Options says in which ways a deployed server behaves. The zero value is the least helpful one that knows metadata:
// silent until it has a message, heartbeats unanswered.
type Options struct {
	// Header is when the header goes out.
	Header Header
	// FirstMessageOnly is a server before v1.2.0: user and room come from the first message, metadata counts nothing,
	// and nothing goes out before that message, whatever Header says.
	FirstMessageOnly bool
	// AnswerHeartbeats answers each HEARTBEAT with one.
	AnswerHeartbeats bool
	// Echo sends a sender its own message back.
	Echo bool
	// AckRequired asks for an ACK of each message that goes out.
	AckRequired bool
	// Repeat sends each message with an id twice.
	Repeat bool
	// Success is the status code that means success: 0 or 200.
	Success int32
}
