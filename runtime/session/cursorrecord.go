package session

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// A cursor file is cursorHeader and then records, all numbers little endian:
//
//	uint32              the length of the third part
//	uint32              CRC-32C of the four bytes of the length and of the third part
//	imsdk.v1.Cursor
//
// A room's last record counts. One with epoch 0, which no log has, says that the room has no cursor any more.
const (
	cursorHeader   = "imsdk cursors 1\n"
	recordHead     = 8
	maxRecordBytes = 512 // of a payload; the largest that is written has 154
)

// castagnoli covers the length too: the sum of nothing is 0, so zeros, which a file system may leave of a write that a
// crash cut short, would have a right one.
func castagnoli(length, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(length, table), table, payload)
}

// appendRecord adds a cursor's record to b.
func appendRecord(b []byte, cursor Cursor) ([]byte, error) {
	payload, err := proto.Marshal(&imsdkv1.Cursor{RoomId: cursor.RoomID, Epoch: cursor.Epoch, Seq: cursor.Seq})
	if err != nil {
		return nil, err
	}
	var length [4]byte
	binary.LittleEndian.PutUint32(length[:], uint32(len(payload)))
	b = append(b, length[:]...)
	b = binary.LittleEndian.AppendUint32(b, castagnoli(length[:], payload))
	return append(b, payload...), nil
}

// Why a file is not read. The texts go on from its name.
var (
	errNotCursors = errors.New("is no file of cursors and is left as it is: give the path of a new file")
	errNoHeader   = errors.New("has no whole header")
	errBadRecord  = errors.New("has a record that is torn or wrong")
)

// readHeader gives errNoHeader for a file that is empty or ends within its header: nothing was saved there yet.
func readHeader(r io.Reader) error {
	head := make([]byte, len(cursorHeader))
	n, err := io.ReadFull(r, head)
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("cannot be read: %w", err)
	case string(head[:n]) != cursorHeader[:n]:
		return errNotCursors
	case n < len(cursorHeader):
		return errNoHeader
	default:
		return nil
	}
}

// readRecord gives io.EOF at the end of the file, and errBadRecord for what is no whole record.
func readRecord(r *bufio.Reader) (cursor Cursor, size int, err error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Cursor{}, 0, tornIfShort(err)
	}
	length := binary.LittleEndian.Uint32(head[:4])
	if length > maxRecordBytes {
		return Cursor{}, 0, errBadRecord
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); errors.Is(err, io.EOF) {
		return Cursor{}, 0, errBadRecord
	} else if err != nil {
		return Cursor{}, 0, tornIfShort(err)
	}
	if castagnoli(head[:4], payload) != binary.LittleEndian.Uint32(head[4:]) {
		return Cursor{}, 0, errBadRecord
	}
	read := new(imsdkv1.Cursor)
	if err := proto.Unmarshal(payload, read); err != nil || checkID("room", read.GetRoomId()) != nil {
		return Cursor{}, 0, errBadRecord
	}
	return Cursor{RoomID: read.GetRoomId(), Epoch: read.GetEpoch(), Seq: read.GetSeq()}, recordHead + int(length), nil
}

// tornIfShort tells the end of the file from a disk that cannot be read, where nothing may be cut off.
func tornIfShort(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errBadRecord
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return fmt.Errorf("cannot be read: %w", err)
	}
}

// cursorState is what a file says.
type cursorState struct {
	live      map[string]liveCursor
	liveBytes int64 // what live takes in the file, with the header
	end       int64 // where the next record goes
}

type liveCursor struct {
	Cursor

	size int64 // of its record
}

func newCursorState() cursorState {
	size := int64(len(cursorHeader))
	return cursorState{live: make(map[string]liveCursor), liveBytes: size, end: size}
}

// apply notes records that are in the file now.
func (s *cursorState) apply(written ...liveCursor) {
	for _, cursor := range written {
		s.end += cursor.size
		s.liveBytes -= s.live[cursor.RoomID].size
		if cursor.Epoch == 0 {
			delete(s.live, cursor.RoomID)
			continue
		}
		s.live[cursor.RoomID] = cursor
		s.liveBytes += cursor.size
	}
}

// records encodes, in one piece, what the file does not say yet: the last cursor of each room.
func (s *cursorState) records(changed []Cursor) (raw []byte, written []liveCursor, err error) {
	last := make(map[string]Cursor, len(changed))
	for _, cursor := range changed {
		last[cursor.RoomID] = cursor
	}
	for _, cursor := range changed {
		if last[cursor.RoomID] != cursor || s.has(cursor) {
			continue
		}
		delete(last, cursor.RoomID) // it may come again
		start := len(raw)
		if raw, err = appendRecord(raw, cursor); err != nil {
			return nil, nil, err
		}
		written = append(written, liveCursor{cursor, int64(len(raw) - start)})
	}
	return raw, written, nil
}

// has tells whether saving a cursor would change nothing.
func (s *cursorState) has(cursor Cursor) bool {
	live, ok := s.live[cursor.RoomID]
	if cursor.Epoch == 0 {
		return !ok
	}
	return ok && live.Cursor == cursor
}

// cursors are the live ones, by room.
func (s *cursorState) cursors() []Cursor {
	all := make([]Cursor, 0, len(s.live))
	for _, cursor := range s.live {
		all = append(all, cursor.Cursor)
	}
	slices.SortFunc(all, func(a, b Cursor) int { return strings.Compare(a.RoomID, b.RoomID) })
	return all
}

// readCursors reads up to the first record that is torn or wrong, which a crash leaves at the end. What stands behind it
// is not looked at: without a length to trust there is no next record.
func readCursors(r io.Reader) (cursorState, error) {
	state, buffered := newCursorState(), bufio.NewReader(r)
	if err := readHeader(buffered); err != nil {
		return state, err
	}
	for {
		cursor, size, err := readRecord(buffered)
		switch {
		case err == nil:
			state.apply(liveCursor{cursor, int64(size)})
		case errors.Is(err, io.EOF), errors.Is(err, errBadRecord):
			return state, nil
		default:
			return state, err
		}
	}
}
