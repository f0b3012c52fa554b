package session

// maxRecentIDs is how many own messages a session recognises when a server of today sends them back.
const maxRecentIDs = 1024

// recentIDs is a bounded set of ids that forgets the oldest. It is not safe for concurrent use.
type recentIDs struct {
	ring []string
	next int
	set  map[string]struct{}
}

func newRecentIDs(size int) recentIDs {
	return recentIDs{ring: make([]string, size), set: make(map[string]struct{})}
}

func (r *recentIDs) add(id string) {
	if _, ok := r.set[id]; ok {
		return
	}
	delete(r.set, r.ring[r.next])
	r.ring[r.next] = id
	r.set[id] = struct{}{}
	r.next = (r.next + 1) % len(r.ring)
}

func (r *recentIDs) has(id string) bool {
	_, ok := r.set[id]
	return ok
}
