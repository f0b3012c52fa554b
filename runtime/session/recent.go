package session

// maxRecentIDs is how many own messages a session recognises when a server of today sends them back.
const maxRecentIDs = 1024

// ring holds the last so many things and gives back the one that it drops for a new one. It grows as it is used.
type ring[T any] struct {
	size  int
	items []T
	next  int
}

func (r *ring[T]) add(item T) (dropped T, ok bool) {
	if len(r.items) < r.size {
		r.items = append(r.items, item)
		return dropped, false
	}
	dropped, r.items[r.next] = r.items[r.next], item
	r.next = (r.next + 1) % r.size
	return dropped, true
}

// recentIDs is a bounded set of ids that forgets the oldest. It is not safe for concurrent use.
type recentIDs struct {
	ring ring[string]
	set  map[string]struct{}
}

func newRecentIDs(size int) recentIDs {
	return recentIDs{ring: ring[string]{size: size}, set: make(map[string]struct{})}
}

func (r *recentIDs) add(id string) {
	if _, ok := r.set[id]; ok {
		return
	}
	if oldest, ok := r.ring.add(id); ok {
		delete(r.set, oldest)
	}
	r.set[id] = struct{}{}
}

func (r *recentIDs) has(id string) bool {
	_, ok := r.set[id]
	return ok
}
