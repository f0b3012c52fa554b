package server

import "time"

// An empty room goes away at once, after its idle_timeout_seconds if it has some, or never if it is persistent.

// emptied decides what becomes of a room that has just lost its last user. mu is held. True: the room has gone, and the
// caller removes it when it has let go of mu.
func (r *room) emptied() bool {
	timeout := time.Duration(r.config.GetIdleTimeoutSeconds()) * time.Second
	switch {
	case r.config.GetPersistent():
		return false
	case timeout <= 0:
		r.gone = true
		return true
	default:
		r.idle = time.AfterFunc(timeout, r.endIdle)
		return false
	}
}

func (r *room) endIdle() {
	r.mu.Lock()
	r.gone = r.gone || (r.idle != nil && len(r.members) == 0)
	gone := r.gone
	r.mu.Unlock()
	if gone {
		r.srv.rooms.remove(r)
	}
}

// wanted calls off the end of an empty room. mu is held.
func (r *room) wanted() {
	if r.idle != nil {
		r.idle.Stop()
		r.idle = nil
	}
}

func (r *room) stopIdle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted()
}
