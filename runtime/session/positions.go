package session

import "sync"

// positions knows where the session stands in the log of each of its rooms.
type positions struct {
	mu   sync.Mutex // held for map operations only
	logs map[string]uint64
}

func newPositions() *positions { return &positions{logs: make(map[string]uint64)} }

// logEpoch is the log of a room as the server last named it. 0: none is known.
func (p *positions) logEpoch(room string) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logs[room]
}

// setLog notes the log that the server named for a room.
func (p *positions) setLog(room string, epoch uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logs[room] = epoch
}
