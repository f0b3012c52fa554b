package roomlog

import (
	"cmp"
	"time"
)

// Retention says how much of rooms' logs a [Memory] keeps. Zero or less is the default of each limit. What is beyond a limit
// goes, oldest first.
type Retention struct {
	// Messages is how many a room's log has at most. Default: 10,000.
	Messages int
	// Bytes is how many bytes of payloads a room's log has at most, if it has more than one message. Default: 4 MiB.
	Bytes int64
	// Age is how old a message may become. Default: 1 h.
	Age time.Duration
	// DedupeWindow is how long a key is remembered, however soon its message goes. Default: 2 min.
	DedupeWindow time.Duration
	// TotalBytes is how many bytes the messages of all rooms have at most; each counts as its payload and 128 bytes for
	// what is kept beside it. Beyond that the oldest go, whichever room they are of. Default: 256 MiB.
	TotalBytes int64
	// TotalKeys is how many keys are remembered of all rooms. None is forgotten before its time: beyond that Append says
	// ErrFull until the oldest are older than the window. A key takes about 300 bytes. Default: 2,097,152, which is 17,000
	// messages a second at the default window.
	TotalKeys int
}

func (r Retention) withDefaults() Retention {
	return Retention{
		Messages:     orDefault(r.Messages, 10_000),
		Bytes:        orDefault(r.Bytes, 4<<20),
		Age:          orDefault(r.Age, time.Hour),
		DedupeWindow: orDefault(r.DedupeWindow, 2*time.Minute),
		TotalBytes:   orDefault(r.TotalBytes, 256<<20),
		TotalKeys:    orDefault(r.TotalKeys, 2<<20),
	}
}

func orDefault[T cmp.Ordered](value, standard T) T {
	var zero T
	if value <= zero {
		return standard
	}
	return value
}

// idle is how long a log is empty and nobody asks for it before it is dropped altogether.
func (r Retention) idle() time.Duration { return max(r.Age, time.Hour) }
