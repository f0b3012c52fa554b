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
		r.idleTimes++
		times := r.idleTimes
		r.idle = time.AfterFunc(timeout, func() { r.endIdle(times) })
		return false
	}
}

// endIdle ends the room if it has been empty since it was so for the nth time.
func (r *room) endIdle(nth uint64) {
	r.mu.Lock()
	r.gone = r.idle != nil && r.idleTimes == nth
	gone := r.gone
	r.mu.Unlock()
	if gone {
		r.srv.rooms.remove(r)
	}
}

// removeUnused removes a room that was made for a join which then failed.
func (all *rooms) removeUnused(r *room) {
	r.mu.Lock()
	if !r.gone && len(r.members) == 0 && r.idle == nil {
		r.emptied()
	}
	gone := r.gone
	r.mu.Unlock()
	if gone {
		all.remove(r)
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
