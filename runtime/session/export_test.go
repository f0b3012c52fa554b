package session

// Disk and DiskFile are what tests put under a CursorFile.
type (
	Disk     = disk
	DiskFile = diskFile
)

// OpenCursorFileOn opens a CursorFile on a disk of the test's own.
func OpenCursorFileOn(d Disk, path string) (*CursorFile, error) { return openCursorFile(d, path) }
