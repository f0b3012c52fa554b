package session

import "time"

// Disk and DiskFile are what tests put under a CursorFile.
type (
	Disk     = disk
	DiskFile = diskFile
)

// OpenCursorFileOn opens a CursorFile on a disk of the test's own.
func OpenCursorFileOn(d Disk, path string) (*CursorFile, error) { return openCursorFile(d, path) }

// WaitingRequests counts the joins and leaves on the stream that are not answered.
func WaitingRequests(s *Session) int {
	s.rooms.mu.Lock()
	defer s.rooms.mu.Unlock()
	return len(s.rooms.waiting)
}

// SetWallClock gives a session's outbox another wall clock.
func SetWallClock(s *Session, wall func() time.Time) {
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.wall = wall
}
