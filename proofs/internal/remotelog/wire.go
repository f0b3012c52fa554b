package remotelog

import (
	"errors"
	"fmt"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// What travels, by net/rpc and gob.

// AppendArgs asks for Append.
type AppendArgs struct {
	Room    string
	Message roomlog.Message
}

// PlaceReply answers AppendArgs and FindArgs.
type PlaceReply struct {
	Place roomlog.Place
	Found bool
	Err   Failure
}

// FindArgs asks for Find.
type FindArgs struct {
	Room, Key string
	Hash      roomlog.Hash
}

// ReadArgs asks for Read, and for Follow, which waits up to Wait for the first record.
type ReadArgs struct {
	Room  string
	After roomlog.Cursor
	Limit roomlog.Limit
	Wait  time.Duration
}

// ReadReply answers ReadArgs.
type ReadReply struct {
	Page roomlog.Page
	Err  Failure
}

// HeadReply answers the name of a room.
type HeadReply struct {
	Head roomlog.Cursor
	Err  Failure
}

// Failure is an error of the engine. Zero: none.
type Failure struct {
	Code int // the sentinel's place in sentinels, from 1; -1 for another error
	Text string
}

//nolint:gochecknoglobals // a constant in all but the language
var sentinels = [...]error{roomlog.ErrOtherLog, roomlog.ErrOtherPayload, roomlog.ErrTooLate, roomlog.ErrFull}

func failure(err error) Failure {
	if err == nil {
		return Failure{}
	}
	for i, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			return Failure{Code: i + 1, Text: err.Error()}
		}
	}
	return Failure{Code: -1, Text: err.Error()}
}

func (f Failure) err() error {
	switch {
	case f.Code == 0:
		return nil
	case f.Code > 0 && f.Code <= len(sentinels):
		return sentinels[f.Code-1]
	default:
		return fmt.Errorf("the log's engine: %s", f.Text)
	}
}
