package roomlogtest

import (
	"context"
	"fmt"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// follower is at a position in a room's log. What it hears it takes if it is what comes next; the rest it reads.
type follower struct {
	live  chan roomlog.Record
	got   []roomlog.Record
	after roomlog.Cursor
}

// followAll gives the first n messages of a room, of which some are not there yet.
func followAll(ctx context.Context, engine roomlog.Engine, room string, n int) ([]roomlog.Record, error) {
	f := follower{live: make(chan roomlog.Record, n)}
	cancel, err := engine.Subscribe(ctx, room, func(record roomlog.Record) {
		select {
		case f.live <- record:
		default: // more than were to come: reading finds it
		}
	})
	if err != nil {
		return nil, err
	}
	defer cancel()
	for len(f.got) < n {
		if err := f.read(ctx, engine, room); err != nil {
			return f.got, err
		}
		if len(f.got) < n {
			if err := f.hear(ctx); err != nil {
				return f.got, err
			}
		}
	}
	return f.got, nil
}

// read reads to the log's end.
func (f *follower) read(ctx context.Context, engine roomlog.Engine, room string) error {
	for {
		page, err := engine.Read(ctx, room, f.after, roomlog.Limit{Messages: 7})
		if err == nil {
			err = checkPage(f.after, page)
		}
		switch {
		case err != nil:
			return err
		case page.Gap != nil:
			return fmt.Errorf("after %+v there is the gap %+v", f.after, *page.Gap)
		case len(page.Records) == 0:
			f.after.Epoch = page.Head.Epoch
			return nil
		}
		f.take(page.Records...)
	}
}

// hear waits for a message, takes it and those behind it that follow each other, and stops at one that does not.
func (f *follower) hear(ctx context.Context) error {
	patience := time.NewTimer(nudge) // the last one may have been left out
	defer patience.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			return nil
		case record := <-f.live:
			switch {
			case record.Epoch == f.after.Epoch && record.Seq <= f.after.Seq: // was read
			case record.Epoch == f.after.Epoch && record.PrevSeq == f.after.Seq:
				f.take(record)
			default:
				return nil
			}
		}
		if len(f.got) == cap(f.live) {
			return nil
		}
	}
}

func (f *follower) take(records ...roomlog.Record) {
	f.got = append(f.got, records...)
	f.after = end(records)
}
