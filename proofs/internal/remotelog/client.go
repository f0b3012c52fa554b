package remotelog

import (
	"context"
	"fmt"
	"net"
	"net/rpc"
	"sync"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// Log is reached within this time, or not at all.
const (
	dialTimeout = time.Second
	callTimeout = 3 * time.Second
	followWait  = 500 * time.Millisecond // at the other end, for what is not there yet
	followPause = 20 * time.Millisecond  // after a failure
	followMost  = 256                    // records at once
)

// Engine is an engine in another process.
type Engine struct {
	address string
	window  time.Duration
	ctx     context.Context //nolint:containedctx // of the subscriptions, from Dial to Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex // not held while the network is waited for
	client *rpc.Client
	dials  chan struct{} // has an element while nobody dials
}

var _ roomlog.Engine = (*Engine)(nil)

// Dial connects with a log that [Serve] serves.
func Dial(ctx context.Context, address string) (*Engine, error) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e := &Engine{address: address, ctx: own, cancel: cancel, dials: make(chan struct{}, 1)}
	e.dials <- struct{}{}
	if err := e.call(ctx, "Window", struct{}{}, &e.window); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close ends the connection and all subscriptions.
func (e *Engine) Close() {
	e.cancel()
	e.mu.Lock()
	client := e.client
	e.client = nil
	e.mu.Unlock()
	if client != nil {
		_ = client.Close()
	}
	e.running.Wait()
}

// Append is roomlog.Engine's.
func (e *Engine) Append(ctx context.Context, room string, m roomlog.Message) (roomlog.Place, error) {
	var reply PlaceReply
	if err := e.call(ctx, "Append", &AppendArgs{Room: room, Message: m}, &reply); err != nil {
		return roomlog.Place{}, err
	}
	return reply.Place, reply.Err.err()
}

// Find is roomlog.Engine's.
func (e *Engine) Find(ctx context.Context, room, key string, hash roomlog.Hash) (roomlog.Place, bool, error) {
	var reply PlaceReply
	if err := e.call(ctx, "Find", &FindArgs{Room: room, Key: key, Hash: hash}, &reply); err != nil {
		return roomlog.Place{}, false, err
	}
	return reply.Place, reply.Found, reply.Err.err()
}

// Read is roomlog.Engine's.
func (e *Engine) Read(ctx context.Context, room string, after roomlog.Cursor, limit roomlog.Limit) (roomlog.Page, error) {
	return e.page(ctx, "Read", &ReadArgs{Room: room, After: after, Limit: limit})
}

// Head is roomlog.Engine's.
func (e *Engine) Head(ctx context.Context, room string) (roomlog.Cursor, error) {
	var reply HeadReply
	if err := e.call(ctx, "Head", room, &reply); err != nil {
		return roomlog.Cursor{}, err
	}
	return reply.Head, reply.Err.err()
}

// DedupeWindow is roomlog.Engine's.
func (e *Engine) DedupeWindow() time.Duration { return e.window }

// Subscribe is roomlog.Engine's. It leaves nothing out but what the log itself no longer has.
//
//nolint:contextcheck // the subscription outlives the call
func (e *Engine) Subscribe(ctx context.Context, room string, to func(roomlog.Record)) (cancel func(), err error) {
	head, err := e.Head(ctx, room)
	if err != nil {
		return nil, err
	}
	own, stop := context.WithCancel(e.ctx)
	e.running.Go(func() { e.follow(own, room, head, to) })
	return stop, nil
}

func (e *Engine) follow(ctx context.Context, room string, from roomlog.Cursor, to func(roomlog.Record)) {
	for ctx.Err() == nil {
		page, err := e.page(ctx, "Follow", &ReadArgs{
			Room: room, After: from, Limit: roomlog.Limit{Messages: followMost}, Wait: followWait,
		})
		if err != nil {
			pause(ctx)
			continue
		}
		if page.Gap != nil {
			from = page.Gap.Next
		}
		for _, record := range page.Records {
			if ctx.Err() != nil {
				return
			}
			to(record)
			from = roomlog.Cursor{Epoch: record.Epoch, Seq: record.Seq}
		}
	}
}

func pause(ctx context.Context) {
	timer := time.NewTimer(followPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (e *Engine) page(ctx context.Context, method string, args *ReadArgs) (roomlog.Page, error) {
	var reply ReadReply
	if err := e.call(ctx, method, args, &reply); err != nil {
		return roomlog.Page{}, err
	}
	return reply.Page, reply.Err.err()
}

// call calls once. What fails on the way ends the connection: the next call dials again.
func (e *Engine) call(ctx context.Context, method string, args, reply any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return unreachable(err)
	}
	client, err := e.connect(ctx)
	if err != nil {
		return unreachable(err)
	}
	call := client.Go(service+"."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		err = call.Error
	case <-ctx.Done():
		err = context.Cause(ctx)
		if e.ctx.Err() == nil && context.Cause(ctx) == context.Canceled { //nolint:errorlint // the caller's own; the connection is fine
			return unreachable(err)
		}
	}
	if err != nil {
		e.drop(client)
		return unreachable(err)
	}
	return nil
}

func unreachable(err error) error { return fmt.Errorf("the log cannot be reached: %w", err) }

// connect gives the connection, and makes one if there is none.
func (e *Engine) connect(ctx context.Context) (*rpc.Client, error) {
	select {
	case <-e.dials:
		defer func() { e.dials <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if client := e.connected(); client != nil {
		return client, nil
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	client := rpc.NewClient(bounded{conn})
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx.Err() != nil {
		_ = client.Close()
		return nil, e.ctx.Err()
	}
	e.client = client
	return client, nil
}

func (e *Engine) connected() *rpc.Client {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.client
}

func (e *Engine) drop(client *rpc.Client) {
	e.mu.Lock()
	if e.client == client {
		e.client = nil
	}
	e.mu.Unlock()
	_ = client.Close()
}

// bounded is a connection whose writes end: net/rpc waits for them without looking at any context.
type bounded struct{ net.Conn }

// Write writes within callTimeout.
func (b bounded) Write(p []byte) (int, error) {
	if err := b.SetWriteDeadline(time.Now().Add(callTimeout)); err != nil {
		return 0, err
	}
	return b.Conn.Write(p)
}
