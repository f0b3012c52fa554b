package roomlogtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// decisions are the errors that a context has nothing to do with.
var decisions = []error{roomlog.ErrOtherLog, roomlog.ErrOtherPayload, roomlog.ErrTooLate, roomlog.ErrFull}

var contexts = []test{
	{name: "a method returns once its context is done, and what it did can be asked for", run: func(s *suite) {
		first := s.append(message("first", "first"))
		for name, call := range s.calls() {
			s.returns(name+" with a context that is done", call, func(cancel func()) { cancel() })
			s.returns(name+" with a context that ends meanwhile", call, func(cancel func()) { go cancel() })
		}
		again, err := s.engine.Append(s.Context(), s.room, message("cancelled", "cancelled")) // it may be there or not
		if err != nil {
			s.Fatalf("append: %v", err)
		}
		s.wantRecords(s.all(s.room, roomlog.Cursor{}), []roomlog.Place{first, again}, "first", "cancelled")
	}},
}

// calls are the methods that take a context.
func (s *suite) calls() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Append": func(ctx context.Context) error {
			_, err := s.engine.Append(ctx, s.room, message("cancelled", "cancelled"))
			return err
		},
		"Find": func(ctx context.Context) error {
			_, _, err := s.engine.Find(ctx, s.room, "first", message("first", "first").Hash)
			return err
		},
		"Read": func(ctx context.Context) error {
			_, err := s.engine.Read(ctx, s.room, roomlog.Cursor{}, roomlog.Limit{})
			return err
		},
		"Head": func(ctx context.Context) error {
			_, err := s.engine.Head(ctx, s.room)
			return err
		},
		"Subscribe": func(ctx context.Context) error {
			cancel, err := s.engine.Subscribe(ctx, s.room, func(roomlog.Record) {})
			if err == nil {
				cancel()
			}
			return err
		},
	}
}

// returns makes sure that a call returns. Whether it succeeds is its own affair, but an error is no decision.
func (s *suite) returns(what string, call func(context.Context) error, end func(cancel func())) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	end(cancel)
	returned := make(chan error, 1)
	go func() { returned <- call(ctx) }()
	select {
	case err := <-returned:
		if slices.ContainsFunc(decisions, func(decision error) bool { return errors.Is(err, decision) }) {
			s.Errorf("%s: %v", what, err)
		}
	case <-time.After(s.config.Patience):
		s.Fatalf("%s has not returned for %s", what, s.config.Patience)
	}
}
