package roomlog

import (
	"context"
	"errors"
	"time"
)

// Engine keeps the logs of rooms: append-only, one log per room, in one order. A log is there as soon as somebody asks for
// it. All methods are safe for concurrent use. Those that take a context may wait for a network or a disk, and have to return
// soon once it is done: whoever has asked waits for them. Their error is one of this package's sentinels, or says that the
// engine could not be reached: then nobody knows whether it did what it was asked for. No method calls back but through what
// Subscribe was given.
type Engine interface {
	// Append puts a message at the end of a room's log and tells its place there. Once it has returned, the message stays
	// until retention takes it. If the log has the message's key already, within the dedupe window, nothing is appended:
	// the place is that of the first one, marked as a duplicate.
	//
	// Errors, each a decision that nothing was appended: ErrOtherLog if the message names another epoch than the log's
	// (looked at first), ErrOtherPayload if the key stands for another hash, ErrTooLate if its session has had a message
	// with this or a higher send number appended within the dedupe window, ErrFull if the log can take no more for now.
	Append(ctx context.Context, room string, m Message) (Place, error)

	// Find tells the place of the message with that key, if one was appended within the dedupe window. The error is
	// ErrOtherPayload if it has another hash.
	Find(ctx context.Context, room, key string, hash Hash) (place Place, found bool, err error)

	// Read gives what comes after a cursor, in order, as much as the limit lets it. Nothing after the cursor is no
	// error: the page is then empty. What the log no longer has, or never had, is told as the page's gap.
	Read(ctx context.Context, room string, after Cursor, limit Limit) (Page, error)

	// Head is the end of a room's log: the cursor of a reader that has everything. Seq is 0 in a log that never had a message.
	Head(ctx context.Context, room string) (Cursor, error)

	// Subscribe calls to with each message that is appended to a room from now on, by anybody, in order, one call at a
	// time, until cancel is called; a call may still be running when cancel returns. cancel may be called more than once, and
	// waits for no call. An engine that reaches its log over a network may leave messages out: the chain of PrevSeq tells,
	// and Read has them. to must not block and must not call the engine.
	Subscribe(ctx context.Context, room string, to func(Record)) (cancel func(), err error)

	// DedupeWindow is how long a key is remembered at least.
	DedupeWindow() time.Duration
}

// What Append and Find say. Test for them with errors.Is.
var (
	// ErrOtherLog means that the room's log is not the one that the message names.
	ErrOtherLog = errors.New("the room's log is another one")
	// ErrOtherPayload means that the key was used for another message.
	ErrOtherPayload = errors.New("the key was used for another message")
	// ErrTooLate means that a later send of the same session has been appended.
	ErrTooLate = errors.New("a later send of the same session was appended before")
	// ErrFull means that the log can take nothing for now.
	ErrFull = errors.New("the log takes no more for now")
)

// Hash tells whether two messages with one key say the same.
type Hash [16]byte

// Message is what Append is given. The engine keeps the payload as it is; nobody changes it any more.
type Message struct {
	// Key makes a send the same send: any bytes, at most 400. Never empty.
	Key string
	// Hash is that of what the sender sent.
	Hash Hash
	// Session is the session that sent it. 0: none.
	Session uint64
	// SendNumber is the send's number within its session and room, rising. 0: it has none, and is never too late. It is
	// nothing without a session.
	SendNumber uint64
	// Epoch, if it is not 0, names the only log that the message may be appended to.
	Epoch uint64
	// Payload is opaque to the engine.
	Payload []byte
}

// Place is where a message stands.
type Place struct {
	// Epoch names the log: a random number, never 0, another one if the log was lost.
	Epoch uint64
	// Seq rises strictly within an epoch, from 1 or higher. It need not be dense.
	Seq uint64
	// PrevSeq is the Seq of the message before it in the same log. 0: it is the first that the log ever had.
	PrevSeq uint64
	// Time is when it was appended.
	Time time.Time
	// Duplicate tells that an earlier Append had put it there.
	Duplicate bool
}

// Record is a message as a log has it.
type Record struct {
	Place

	// Session is the session that sent it. 0: none.
	Session uint64
	// Payload is what Append was given. It is shared: nobody changes it.
	Payload []byte
}

// Cursor is a position in a room's log: everything up to and with Seq is behind it. Seq need not be that of a message.
type Cursor struct {
	// Epoch names the log.
	Epoch uint64
	// Seq is the last sequence number that was read. 0: the log's beginning.
	Seq uint64
}

// Limit bounds a page: it ends before the record that would go beyond either. There is always room for one record.
// Zero or less sets no bound.
type Limit struct {
	Messages int
	Bytes    int // of payloads
}

// Page is what Read gives.
type Page struct {
	// Records come after the cursor, or after the gap if there is one; each one's PrevSeq is the Seq of the one before.
	Records []Record
	// Head is the log's end when it was read. If it is beyond the last record there is more to read.
	Head Cursor
	// Gap tells that not everything after the cursor is there. Nil: nothing is missing.
	Gap *Gap
}

// Gap tells what a reader will not get: what came after its cursor, up to Next.
type Gap struct {
	// Reason says why.
	Reason GapReason
	// Next is where reading goes on: everything up to and with its Seq, of its Epoch and of those before, is not there or is
	// behind the reader.
	Next Cursor
}

// GapReason says why messages are missing.
type GapReason uint8

const (
	// GapRetention means that the log no longer reaches back to the cursor.
	GapRetention GapReason = iota + 1
	// GapOtherLog means that the cursor's log is lost; this is another one.
	GapOtherLog
	// GapLogCut means that the log ends before the cursor. It is for a cursor that comes back. A log that is cut while it is
	// read has to take another epoch, or its live readers hear nothing of it.
	GapLogCut
)
