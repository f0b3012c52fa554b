package session

// maxRecentIDs is how many own messages a session recognises when a server of today sends them back.
const maxRecentIDs = 1024

// recentIDs is a bounded set of ids that forgets the oldest. It is not safe for concurrent use.
type recentIDs struct {
	set   map[string]struct{}
	order []string // oldest first
}

func newRecentIDs() recentIDs { return recentIDs{set: make(map[string]struct{})} }

func (r *recentIDs) add(id string) {
	if _, ok := r.set[id]; ok {
		return
	}
	if len(r.order) == maxRecentIDs {
		delete(r.set, r.order[0])
		r.order = r.order[1:]
	}
	r.set[id] = struct{}{}
	r.order = append(r.order, id)
}

func (r *recentIDs) has(id string) bool {
	_, ok := r.set[id]
	return ok
}
