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
	mu  sync.RWMutex
	all map[string]*room
}

func newRooms() rooms { return rooms{all: make(map[string]*room)} }

// find gives a room, or nil.
func (all *rooms) find(id string) *room {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return all.all[id]
}

// add takes a new room, unless somebody was quicker: then it gives that one's.
func (all *rooms) add(r *room) *room {
	all.mu.Lock()
	defer all.mu.Unlock()
	if there, ok := all.all[r.id]; ok {
		return there
	}
	all.all[r.id] = r
	return r
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
	made, err := s.openRoom(ctx, id, info)
	if err != nil {
		return nil, err
	}
	there := s.rooms.add(made)
	if there != made {
		made.unsubscribe()
	}
	return there, nil
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
