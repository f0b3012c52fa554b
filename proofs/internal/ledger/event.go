package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Message names one message: the Number-th that Sender sent to Room, counted from 1.
type Message struct {
	Sender int
	Room   int
	Number int
}

// Text is what the message says: its name, and padding up to size bytes.
func (m Message) Text(size int) string {
	text := fmt.Sprintf("%d %d %d ", m.Sender, m.Room, m.Number)
	if pad := size - len(text); pad > 0 {
		text += strings.Repeat("x", pad)
	}
	return text
}

// ParseText reads what Text wrote.
func ParseText(text string) (Message, error) {
	var numbers [3]int
	rest := text
	for i := range numbers {
		word, after, found := strings.Cut(rest, " ")
		number, err := strconv.Atoi(word)
		if err != nil || !found {
			return Message{}, fmt.Errorf("the text %.40q names no message", text)
		}
		numbers[i], rest = number, after
	}
	return Message{Sender: numbers[0], Room: numbers[1], Number: numbers[2]}, nil
}

// String is for people.
func (m Message) String() string {
	return fmt.Sprintf("message %d of %d in room %d", m.Number, m.Sender, m.Room)
}

// Place is where a message stands in its room's log.
type Place struct {
	Epoch uint64
	Seq   uint64
}

// Kind says what an event tells.
type Kind uint8

// The kinds of events. The first ones are told by a message's sender, each send ends with one of the three below Sent or
// with none, the next two by a reader, the last one by a server.
const (
	// Sent: the session was given the message.
	Sent Kind = iota + 1
	// Receipt: the log has it, at Place.
	Receipt
	// Maybe: given up; it may have been delivered, or not.
	Maybe
	// Never: given up; it was certainly not delivered.
	Never
	// Delivered: the Reader's handler was given the message, which stands at Place.
	Delivered
	// Told: the Reader was told that what is after Place and before Next in the room of Message will not come.
	Told
	// Life: the room of Message has a log of the epoch in Place, later than those whose Life was told before.
	Life
)

// Event is something that happened.
type Event struct {
	Kind    Kind
	Reader  int
	Message Message
	Place   Place
	Next    Place
	// Text is an error's, or why a gap is there.
	Text string
	// Unsaid: nobody told the Reader's session of the gap. It found out by itself, from the chain.
	Unsaid bool
}
