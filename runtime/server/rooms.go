package server

import (
	"context"
	"maps"
	"slices"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc/codes"
)

// rooms has every room that exists. Its lock is never held together with a room's.
type rooms struct {
	mu      sync.RWMutex
	all     map[string]*room
	opening map[string]*opening
}

// opening is a room that somebody makes, for all who want it meanwhile.
type opening struct {
	done chan struct{} // closed when what follows is there
	room *room
	err  error
}

func newRooms() rooms { return rooms{all: make(map[string]*room), opening: make(map[string]*opening)} }

// find gives a room, or nil.
func (all *rooms) find(id string) *room {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return all.all[id]
}

// open gives a room. If it is not there, one caller makes it, and the others wait for that one.
func (all *rooms) open(ctx context.Context, id string, newRoom func(context.Context) (*room, error)) (*room, error) {
	all.mu.Lock()
	there, o := all.all[id], all.opening[id]
	mine := there == nil && o == nil
	if mine {
		o = &opening{done: make(chan struct{})}
		all.opening[id] = o
	}
	all.mu.Unlock()
	switch {
	case there != nil:
		return there, nil
	case mine:
		ctx, cancel := beyond(ctx) // others may wait for it
		defer cancel()
		o.room, o.err = newRoom(ctx)
		all.opened(id, o)
		return o.room, o.err
	}
	select {
	case <-o.done:
		return o.room, o.err
	case <-ctx.Done():
		return nil, logUnreachable(id, context.Cause(ctx))
	}
}

func (all *rooms) opened(id string, o *opening) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.opening, id)
	if o.err == nil {
		all.all[id] = o.room
	}
	close(o.done)
}

// remove forgets a room that has gone. A new one with the same id stays.
func (all *rooms) remove(r *room) {
	all.mu.Lock()
	if all.all[r.id] == r {
		delete(all.all, r.id)
	}
	all.mu.Unlock()
	r.unsubscribe()
}

func (all *rooms) count() int {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return len(all.all)
}

// close stops what waits for the end of idle rooms, and what the engine calls.
func (all *rooms) close() {
	all.mu.RLock()
	there := slices.Collect(maps.Values(all.all))
	all.mu.RUnlock()
	for _, r := range there {
		r.stopIdle()
		r.unsubscribe()
	}
}

// roomFor gives a room, made by the operator's policy if it is not there.
func (s *Server) roomFor(ctx context.Context, id string) (*room, error) {
	if there := s.rooms.find(id); there != nil {
		return there, nil
	}
	info, err := s.describe(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.rooms.open(ctx, id, func(ctx context.Context) (*room, error) { return s.openRoom(ctx, id, info) })
}

func (s *Server) describe(ctx context.Context, id string) (info *imv1.RoomInfo, err error) {
	if s.config.roomPolicy != nil {
		panicked := s.guard("room policy", func() { info, err = s.config.roomPolicy(ctx, id) })
		if panicked != nil {
			return nil, panicked
		}
		if err != nil {
			return nil, asStatus(err, codes.PermissionDenied)
		}
	}
	if info == nil {
		info = &imv1.RoomInfo{Config: &imv1.RoomConfig{AllowAudio: true, AllowRichText: true}}
	}
	return info, nil
}

// existing gives a room that is there.
func (s *Server) existing(id string) (*room, error) {
	if r := s.rooms.find(id); r != nil {
		return r, nil
	}
	return nil, unknownRoom(id)
}

func unknownRoom(id string) error {
	return refuse(codes.NotFound, "there is no room %q on this server: a room is made when the first user joins it", id)
}
