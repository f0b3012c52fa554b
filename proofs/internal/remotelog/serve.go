package remotelog

import (
	"context"
	"errors"
	"net"
	"net/rpc"
	"sync"
	"time"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// service is the name of Log among net/rpc's services.
const service = "Log"

// Serve answers for an engine until the listener is closed, and returns when all connections have ended.
func Serve(listener net.Listener, engine roomlog.Engine) error {
	server := rpc.NewServer()
	log := &Log{engine: engine, rooms: make(map[string]*news)}
	if err := server.RegisterName(service, log); err != nil {
		return err
	}
	var running sync.WaitGroup
	conns := make(map[net.Conn]struct{})
	var mu sync.Mutex
	for {
		conn, err := listener.Accept()
		if err != nil {
			mu.Lock()
			for conn := range conns {
				_ = conn.Close()
			}
			mu.Unlock()
			log.close()
			running.Wait()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		mu.Lock()
		conns[conn] = struct{}{}
		mu.Unlock()
		running.Go(func() {
			server.ServeConn(conn)
			mu.Lock()
			delete(conns, conn)
			mu.Unlock()
		})
	}
}

// Log is what net/rpc calls.
type Log struct {
	engine roomlog.Engine

	mu     sync.Mutex
	closed bool
	rooms  map[string]*news
}

// news wakes up those who follow a room.
type news struct {
	cancel func()

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when something was appended
}

// Append is the engine's.
func (l *Log) Append(args *AppendArgs, reply *PlaceReply) error {
	place, err := l.engine.Append(context.Background(), args.Room, args.Message)
	*reply = PlaceReply{Place: place, Err: failure(err)}
	return nil
}

// Find is the engine's.
func (l *Log) Find(args *FindArgs, reply *PlaceReply) error {
	place, found, err := l.engine.Find(context.Background(), args.Room, args.Key, args.Hash)
	*reply = PlaceReply{Place: place, Found: found, Err: failure(err)}
	return nil
}

// Read is the engine's.
func (l *Log) Read(args *ReadArgs, reply *ReadReply) error {
	page, err := l.engine.Read(context.Background(), args.Room, args.After, args.Limit)
	*reply = ReadReply{Page: page, Err: failure(err)}
	return nil
}

// Head is the engine's.
func (l *Log) Head(room string, reply *HeadReply) error {
	head, err := l.engine.Head(context.Background(), room)
	*reply = HeadReply{Head: head, Err: failure(err)}
	return nil
}

// Window is the engine's DedupeWindow.
func (l *Log) Window(_ struct{}, reply *time.Duration) error {
	*reply = l.engine.DedupeWindow()
	return nil
}

// Follow is Read that waits while there is nothing.
func (l *Log) Follow(args *ReadArgs, reply *ReadReply) error {
	news, err := l.news(args.Room)
	if err != nil {
		*reply = ReadReply{Err: failure(err)}
		return nil
	}
	timer := time.NewTimer(args.Wait)
	defer timer.Stop()
	for {
		changed := news.next()
		if err := l.Read(args, reply); err != nil {
			return err
		}
		if reply.Err.Code != 0 || len(reply.Page.Records) > 0 || reply.Page.Gap != nil {
			return nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil
		}
	}
}

func (l *Log) news(room string) (*news, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	if n := l.rooms[room]; n != nil {
		return n, nil
	}
	n := &news{changed: make(chan struct{})}
	cancel, err := l.engine.Subscribe(context.Background(), room, func(roomlog.Record) { n.wake() })
	if err != nil {
		return nil, err
	}
	n.cancel = cancel
	l.rooms[room] = n
	return n, nil
}

func (l *Log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, n := range l.rooms {
		n.cancel()
	}
}

func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func (n *news) wake() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}
